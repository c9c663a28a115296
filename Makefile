# `make` alone prints the targets. Needed: Go, make and git; `make test` brings the rest.
GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 30s
SOAK     ?= 1h
ARGS     ?=

# Packages without a goroutine: the race detector would find nothing, and take
# five times as long. They must not need 64-bit ints either.
PURE := ./mux/... ./segmenter ./playlist/...

.DEFAULT_GOAL := help

## help: this list
help:
	@echo "headwater: make TARGET"
	@sed -n 's/^## \([a-z0-9-]*\): /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  %-10s %s\n", $$1, $$2 }'

## demo: build headwater and play the built-in programme; prints the URL to open
demo: build
	bin/headwater demo $(ARGS)

## build: the program, in bin/headwater
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/headwater ./cmd/headwater

## test: everything, with real players; installs the Debian packages it lacks
test: export CI := 1
test: programs fmt vet lint unit unit-386 day e2e

## check: the quick part of test: fmt vet lint unit
check: fmt vet lint unit

## programs: install what the end-to-end tests run (ffmpeg, GStreamer, VLC, mpv, nginx, Chromium)
programs:
	@cmd/headwater/packaging/install-programs

## fmt: fail if a file is not gofmt-ed
fmt:
	@out=$$(gofmt -l cmd ingest mux origin playlist segmenter web); test -z "$$out" || { echo "gofmt -w $$out"; exit 1; }

## vet: go vet, also of the end-to-end tests
vet:
	$(GO) vet ./...
	$(GO) vet -tags e2e ./cmd/headwater/e2e/...

## lint: staticcheck, at the version in go.mod
lint:
	$(GO) tool staticcheck -tags e2e ./...

## unit: unit tests in random order, with the race detector where there are goroutines
unit:
	$(GO) test -shuffle=on $(PURE)
	CGO_ENABLED=1 $(GO) test -race -shuffle=on $$($(GO) list ./... | grep -vxF "$$($(GO) list $(PURE))")

## unit-386: the pure packages with 32-bit ints
unit-386:
	GOARCH=386 CGO_ENABLED=0 $(GO) test -short $(PURE)

## day: the test of the origin that simulates 24 hours, which the race detector would slow down
day:
	$(GO) test -run 'Day' ./origin

## e2e: end-to-end tests with real sources and players (RUN=regexp picks some)
e2e:
	$(GO) test -tags e2e -count=1 -parallel 6 -timeout 14m $(if $(RUN),-v -run '$(RUN)') ./cmd/headwater/e2e/...

## soak: load that comes and goes for SOAK (1h), after which nothing may have grown
soak:
	$(GO) test -tags e2e -count=1 -timeout 0 -v -run '^TestSoak$$' ./cmd/headwater/e2e -soak $(SOAK)

## fuzz: every fuzz target for FUZZTIME (30s) each
fuzz:
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

## bench: benchmarks, then the budgets beside Icecast, nginx, ffmpeg (and MEDIAMTX=PROGRAM): BENCHMARKS.md (20 minutes)
bench:
	$(GO) test -run '^$$' -bench . -benchmem -benchtime 200ms ./...
	$(GO) run ./cmd/headwater/bench -o bin/bench.txt -md BENCHMARKS.md

## golden: rewrite the golden files; read the diff before you commit it
golden:
	@for d in $$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -n1 dirname | sort -u); do \
	  $(GO) test $$d -update || exit 1; done

## programme: make the built-in test programme again (needs ffmpeg and the DejaVu fonts)
programme:
	cmd/headwater/programme/make.sh

## tidy: fail if go.mod or go.sum would change
tidy:
	$(GO) mod tidy -diff

## clean: remove what make made
clean:
	rm -rf bin

.PHONY: help demo build test check programs fmt vet lint unit unit-386 day e2e soak fuzz bench golden programme tidy clean
