#!/bin/sh
# Makes programme.ts, the built-in test programme: 16 s that can follow
# themselves for ever.
#
# 16 s are 400 pictures at 25/s, 8 closed GOPs of 2 s and 750 AAC frames of
# 1024 samples at 48 kHz, so nothing is left over at the end. All tones are
# whole hertz, hence equal in each lap; the sound is encoded for three laps
# and the middle one taken, so that its first frame overlaps what its last one
# promises and the seam cannot be heard.
#
# Needs ffmpeg with libx264 and drawtext, and the DejaVu fonts.
set -eu

cd "$(dirname "$0")"
font=${FONT:-/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lap=16
ffmpeg="ffmpeg -hide_banner -loglevel error -nostdin -y -bitexact"

# A soft chord, a short beep each second and a higher one each lap.
chord='0.05*(sin(2*PI*220*t)+sin(2*PI*277*t)+sin(2*PI*330*t))'
beep='0.25*sin(2*PI*(880+880*lt(mod(t,16),1))*t)*min(1,mod(t,1)*200)*lt(mod(t,1),0.1)*min(1,(0.1-mod(t,1))*200)'
$ffmpeg -f lavfi -i "aevalsrc='$chord+$beep|$chord+$beep':s=48000:d=$((3 * lap))" \
	-c:a aac -b:a 48k -f adts "$work/sound.aac"

# Colour bars, a sweeping bar, a running clock and picture number.
text() { # size x y text
	echo "drawtext=fontfile=$font:fontsize=$1:x=$2:y=$3:fontcolor=white:box=1:boxcolor=black@0.75:boxborderw=10:text='$4'"
}
$ffmpeg -f lavfi -i "smptehdbars=s=640x360:r=25:d=$lap" -f lavfi -i "color=white:s=8x48:r=25:d=$lap" -filter_complex "
	[0][1]overlay=x='mod(n,50)/50*632':y=312:shortest=1,
	$(text 52 '(w-tw)/2' 40 headwater),
	$(text 60 '(w-tw)/2' 130 '%{eif\:n/25\:d\:2}.%{eif\:mod(n,25)\:d\:2}'),
	$(text 22 '(w-tw)/2' 232 'second.picture of a 16 s loop, 25 a second'),
	format=yuv420p" \
	-c:v libx264 -profile:v high -preset veryslow -tune animation -crf 27 -threads 1 \
	-x264-params keyint=50:min-keyint=50:scenecut=0:open-gop=0:bframes=2:b-pyramid=none:aud=1 \
	-muxdelay 0 -f mpegts "$work/picture.ts"

# One AAC frame a PES packet. AAC sounds one frame late, so the middle lap is
# the 750 frames from number 751 on; 16.03 s is inside it.
$ffmpeg -i "$work/picture.ts" -ss 16.03 -i "$work/sound.aac" -map 0:v -map 1:a -c copy \
	-frames:a 750 -bsf:a setts=ts=N*1920 \
	-muxdelay 0 -muxpreload 0 -pes_payload_size 0 -pat_period 0.5 -sdt_period 30 -f mpegts "$work/programme.ts"

mv "$work/programme.ts" programme.ts
