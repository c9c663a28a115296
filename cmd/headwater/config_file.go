package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxConfigSize is far more than anybody writes by hand.
const maxConfigSize = 1 << 20

// configFile is a configuration in YAML. It is walked node by node instead of
// being decoded, so that each fault has its line, and all are found at once.
type configFile struct {
	name   string // for messages
	text   []byte
	places map[string]place // filled in: where each key is
	faults []*fault
}

// apply sets in cfg what the file says and returns what is wrong with it.
func (f *configFile) apply(cfg *Config) []*fault {
	if len(f.text) > maxConfigSize {
		return []*fault{{where: f.name, text: fmt.Sprintf("is larger than %d bytes", maxConfigSize)}}
	}
	tree, err := parser.ParseBytes(f.text, 0)
	if err != nil {
		f.syntaxFault(err)
		return f.faults
	}
	if len(tree.Docs) > 1 {
		f.fault(tree.Docs[1].Body, "", "", "begins a second document: a file holds one")
	}
	if len(tree.Docs) > 0 && tree.Docs[0].Body != nil {
		f.entries(tree.Docs[0].Body, "", func(key string, node ast.Node) { f.global(cfg, key, node) })
	}
	return f.faults
}

// global sets one key of the top, or of the groups below it.
func (f *configFile) global(cfg *Config, key string, node ast.Node) {
	switch key {
	case "log", "limits", "hooks":
		f.entries(node, key, func(key string, node ast.Node) { f.global(cfg, key, node) })
		return
	case "streams":
		f.entries(node, key, func(key string, node ast.Node) { f.stream(cfg, key, node) })
		return
	}
	settings, known := globalSettings(), []string{"hooks", "streams"}
	inHooks := strings.HasPrefix(key, "hooks.")
	if inHooks {
		settings, known = hookSettings(), nil
	}
	s, ok := find(settings, key)
	if !ok {
		f.unknown(key, append(keys(settings), known...))
		return
	}
	for _, v := range f.scalars(node, key, inHooks || key == "trusted_proxies") {
		if err := s.set(cfg, v.value); err != nil {
			f.fault(v.node, key, v.value, err.Error())
		}
	}
}

// stream sets one entry of "streams".
func (f *configFile) stream(cfg *Config, key string, node ast.Node) {
	name := strings.TrimPrefix(key, "streams.")
	if err := checkStreamPattern(name); err != nil {
		p := f.places[key]
		f.faults = append(f.faults, &fault{where: p.where, key: "streams", value: name, text: err.Error(), excerpt: p.excerpt})
		return
	}
	stream := cfg.stream(name)
	f.entries(node, key, func(path string, node ast.Node) {
		settings := streamSettings()
		if path == key+"."+listenersKey {
			f.listenerNames(stream, path, node)
			return
		}
		s, ok := find(settings, strings.TrimPrefix(path, key+"."))
		if !ok {
			f.unknown(path, append(keys(settings), listenersKey))
			return
		}
		values := f.scalars(node, path, s.key == "allow" || s.key == "exec" || s.key == "pull")
		if list, ok := node.(*ast.SequenceNode); ok && s.key == "exec" && len(values) == len(list.Values) {
			values = []scalar{{node, joinWords(texts(values))}}
		}
		for _, v := range values {
			if err := s.set(stream, v.value); err != nil {
				f.fault(v.node, path, v.value, err.Error())
			}
		}
	})
}

// entries calls do with the path and the value of each entry of a mapping.
func (f *configFile) entries(node ast.Node, path string, do func(path string, node ast.Node)) {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	case *ast.NullNode: // a key with nothing below it
	default:
		f.fault(node, path, "", "must be keys with values below it")
	}
	for _, p := range pairs {
		key := p.Key.GetToken().Value
		if path != "" {
			key = path + "." + key
		}
		f.places[key] = f.place(p.Key)
		do(key, p.Value)
	}
}

// scalar is a value and where it stands.
type scalar struct {
	node  ast.Node
	value string
}

// scalars returns the value of node, or the values if it is a list and may be one.
func (f *configFile) scalars(node ast.Node, path string, list bool) []scalar {
	switch n := node.(type) {
	case *ast.SequenceNode:
		if !list {
			break
		}
		var all []scalar
		for _, v := range n.Values {
			all = append(all, f.scalars(v, path, false)...)
		}
		return all
	case *ast.StringNode:
		return []scalar{{n, n.Value}}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return []scalar{{n, n.GetToken().Value}}
	case *ast.NullNode:
		f.fault(node, path, "", "has no value")
		return nil
	}
	f.fault(node, path, "", "must be a plain value")
	return nil
}

// texts returns the values alone.
func texts(values []scalar) []string {
	list := make([]string, len(values))
	for i := range values {
		list[i] = values[i].value
	}
	return list
}

// unknown adds a fault for a key that does not exist.
func (f *configFile) unknown(path string, known []string) {
	p := f.places[path]
	f.faults = append(f.faults, &fault{where: p.where, key: path, excerpt: p.excerpt,
		text: "no such key; there are " + strings.Join(known, ", ")})
}

// fault adds a fault at node.
func (f *configFile) fault(node ast.Node, path, value, text string) {
	p := place{where: f.name}
	if node != nil {
		p = f.place(node)
	}
	f.faults = append(f.faults, &fault{where: p.where, key: path, value: value, text: text, excerpt: p.excerpt})
}

// syntaxFault adds the fault that the YAML reader found.
func (f *configFile) syntaxFault(err error) {
	p, text := place{where: f.name}, err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		text = e.GetMessage()
		if t := e.GetToken(); t != nil {
			p = f.at(t)
		}
	}
	f.faults = append(f.faults, &fault{where: p.where, excerpt: p.excerpt, text: text})
}

// place returns where node begins.
func (f *configFile) place(node ast.Node) place {
	if m, ok := node.(*ast.MappingValueNode); ok {
		node = m.Key // its own token is the colon
	}
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		node = m.Values[0].Key
	}
	return f.at(node.GetToken())
}

// at returns the line and column of t, and the line with a caret below.
func (f *configFile) at(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{where: f.name}
	}
	line, column := t.Position.Line, t.Position.Column
	p := place{where: fmt.Sprintf("%s:%d:%d", f.name, line, column)}
	lines := bytes.Split(f.text, []byte("\n"))
	if line < 1 || line > len(lines) || !utf8.Valid(lines[line-1]) {
		return p
	}
	text := strings.ReplaceAll(strings.TrimRight(string(lines[line-1]), "\r"), "\t", " ")
	p.excerpt = fmt.Sprintf("%6d | %s\n       | %s^", line, text, strings.Repeat(" ", max(0, column-1)))
	return p
}
