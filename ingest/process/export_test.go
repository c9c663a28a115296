package process

// NewFramed returns the media of a connection in eradio's framing.
var NewFramed = newFramed

// AppendMessage appends a message in eradio's framing.
var AppendMessage = appendMessage
