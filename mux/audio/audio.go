// Package audio finds the frames of MP3 and ADTS AAC in a stream of bytes, and
// writes what packed audio segments begin with.
//
//   - [Recognise] says whether bytes are raw MP3 or AAC.
//   - [Demuxer] makes units from a raw connection; it stands on [Splitter].
//   - [PESSplitter] finds the frames in the audio PES packets of a transport stream.
//   - [AppendHeadTag] begins a packed audio segment (RFC 8216 §3.4).
//
// Input may be cut anywhere, begin anywhere and hold anything. What comes out
// does not depend on where it was cut. Memory kept between calls is bounded by
// three frames of the largest size and a title, whatever comes in.
package audio
