// Package ogg reads Ogg streams of one Vorbis, Opus or FLAC track: it finds the
// pages, keeps the header pages that a decoder needs first, and tells the time
// of each page and the title in the comments. What is inside a packet of sound
// is no business of this package: pages are sent on as they came.
//
// RFC 3533 (Ogg), Vorbis I §4.2, §5 and annex A, RFC 7845 (Opus in Ogg),
// RFC 9639 §10.1 (FLAC in Ogg). It is pure.
package ogg
