//go:build e2e

package e2e_test

import "testing"

// TestPlayers plays every kind of input with every player.
func TestPlayers(t *testing.T) {
	for _, m := range materials {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.packets(t)
			s := serve(t)
			m.send(t, s.port)
			s.ready()
			players := []struct {
				name string
				play func(t *testing.T)
			}{
				{"ffmpeg, every packet", func(t *testing.T) { ffmpegExact(t, s.url+"/live/main.m3u8", m) }},
				{"ffmpeg, packed audio", func(t *testing.T) { ffmpegPacked(t, s.url+"/live/audio.m3u8", m) }},
				{"ffmpeg, decoding", func(t *testing.T) { ffmpegDecodes(t, s.playlist(), m.video) }},
				{"ffprobe, continuous", func(t *testing.T) { ffprobeFinds(t, s.url+"/live.ts", m.tracks) }},
				{"ffmpeg, continuous, live", func(t *testing.T) { ffmpegDecodes(t, s.url+"/live.ts?mode=live", m.video) }},
				{"mpv, continuous sound, live", func(t *testing.T) { mpvPlays(t, s.url+"/live?mode=live") }},
				{"mpv", func(t *testing.T) { mpvPlays(t, s.playlist()) }},
				{"VLC", func(t *testing.T) { vlcPlays(t, s.playlist(), m.video) }},
				{"GStreamer hlsdemux2", func(t *testing.T) { gstreamerPlays(t, s.playlist(), true, m.video, m.tracks) }},
				{"GStreamer hlsdemux", func(t *testing.T) { gstreamerPlays(t, s.playlist(), false, m.video, m.tracks) }},
				{"Chromium", func(t *testing.T) { chromiumPlays(t, s.url+"/live", m.video) }},
				{"headwater check", func(t *testing.T) { checkFinds(t, s.playlist()) }},
				{"headwater check, packed audio", func(t *testing.T) { checkFinds(t, s.url+"/live/audio.m3u8") }},
			}
			for _, p := range players {
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					enter(t)
					p.play(t)
				})
			}
		})
	}
}

// TestPipelines takes what GStreamer sends, the line of 2009 first.
func TestPipelines(t *testing.T) {
	for _, p := range pipelines() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			p.start(t, s.port)
			s.ready()
			enter(t)
			ffmpegDecodes(t, s.playlist(), p.video)
			ffprobeFinds(t, s.url+"/live.ts", p.tracks)
			checkFinds(t, s.playlist(), "B14") // nobody set a bit rate
		})
	}
}

// TestConnect fetches from sources that wait to be fetched from.
func TestConnect(t *testing.T) {
	t.Run("ffmpeg -listen 1", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		s := serveFrom(t, port)
		source := film.listen(t, port)
		s.ready()
		enter(t)
		ffmpegExact(t, s.url+"/live/main.m3u8", film)

		// The source goes and comes back: so does the stream, under the same
		// URL. ffmpeg knows nothing of discontinuities and says so.
		source.kill()
		film.listen(t, port)
		ffmpegDecodes(t, s.playlist(), true, "non monotonically increasing dts")
	})
	t.Run("tcpserversink", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		p := pipelines()[0]
		p.launch = p.launch[:len(p.launch)-len(sink)] + serverSink
		p.start(t, port)
		s := serveFrom(t, port)
		s.ready()
		enter(t)
		ffmpegDecodes(t, s.playlist(), false)
	})
}
