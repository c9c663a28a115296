package http1

// Parse is parse.
var Parse = parse

// HeadEnd is headEnd.
var HeadEnd = headEnd
