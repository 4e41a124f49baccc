#!/usr/bin/env bash
# Makes the samples anew with ffmpeg (Debian's package will do): a tone of our own, in each form that is taken
# in and in some that are not. Their lengths stand in src/media/audio.test.ts.
set -euo pipefail
cd "$(dirname "$0")"

make() { # NAME SECONDS ARGUMENTS...
  local name=$1 seconds=$2
  shift 2
  ffmpeg -v error -y -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=$seconds" -map_metadata -1 \
    -fflags +bitexact -flags:a +bitexact "$@" "$name"
}

make pcm.wav 0.25 -ac 1 -ar 8000 -c:a pcm_s16le
make mulaw.wav 1 -ac 1 -ar 8000 -c:a pcm_mulaw
ffmpeg -v error -f lavfi -i sine=frequency=440:sample_rate=8000:duration=0.25 -ac 1 -c:a pcm_s16le -bitexact -f wav pipe: \
  > streamed.wav
make cbr.mp3 2 -ac 1 -ar 8000 -c:a libmp3lame -b:a 16k -write_xing 0
make vbr.mp3 3 -ac 1 -ar 16000 -c:a libmp3lame -q:a 9 -id3v2_version 3 -metadata title=tone
make vbr-uncounted.mp3 3 -ac 1 -ar 16000 -af 'volume=enable=lt(t\,1):volume=0' -c:a libmp3lame -q:a 4 -write_xing 0
make opus.ogg 20 -ac 1 -c:a libopus -b:a 6k -application voip
make vorbis.ogg 1.5 -ac 1 -ar 16000 -c:a libvorbis -q:a 0
make speex.ogg 2 -ac 1 -ar 8000 -c:a libspeex
make aac.m4a 2 -ac 1 -ar 8000 -c:a aac -b:a 12k
make aac-fast.m4a 2 -ac 1 -ar 8000 -c:a aac -b:a 12k -movflags +faststart
make aac-fragmented.mp4 3 -ac 1 -ar 8000 -c:a aac -b:a 12k -movflags +frag_keyframe+empty_moov -frag_duration 500000
make tone.flac 0.5 -ac 1 -ar 8000 -c:a flac
make refused.aac 0.5 -ac 1 -ar 8000 -c:a aac -b:a 12k
make refused.webm 0.5 -ac 1 -c:a libopus -b:a 6k
make refused.mp2 0.5 -ac 1 -ar 16000 -c:a mp2 -b:a 32k
ffmpeg -v error -y -f lavfi -i sine=frequency=440:sample_rate=8000:duration=0.2 -f lavfi \
  -i color=size=16x16:rate=5:duration=0.2 -ac 1 -c:a aac -b:a 12k -c:v mpeg4 -fflags +bitexact -flags +bitexact refused.mp4
