#!/usr/bin/env bash
# hart-mini from nothing, as it is shipped: tools/make_mini.sh WORK [PARTS] [FRAMES]
#
# Every step goes on where it was cut off. WORK holds 20 GB in the end. On two cores of a laptop:
# PARTS (40) of 250 simulator frames take half an hour, FRAMES (1500) path-traced ones 40 minutes, the
# tokenizer 45 minutes, the transformer two hours, the decoder an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:?folder to work in} parts=${2:-40} frames=${3:-1500}
here=$PWD bin=$PWD/.venv/bin
traced=${XDG_CACHE_HOME:-$HOME/.cache}/hartsim/pathtrace
mkdir -p "$work"

[ -d "$traced/models" ] || python3 -m tools.pathtrace setup
if [ ! -f "$work/scenes.jsonl" ]; then
  "$bin/hartsim" compile scenarios/driving scenarios/robot --count 6 --seed 1000000000 --json |
    "$bin/python" -c 'import random, sys
lines = sys.stdin.readlines()
random.Random(0).shuffle(lines)
sys.stdout.writelines(lines)' > "$work/scenes.part"
  mv "$work/scenes.part" "$work/scenes.jsonl"
fi
for shard in 0/2 1/2; do
  OMP_NUM_THREADS=1 "$bin/hartsim" train data --out "$work/corpus" --parts "$parts" --shard $shard &
done
wait
if [ ! -d "$work/corpus/train-frames-00000" ]; then
  "$traced/venv/bin/python" -m tools.pathtrace scenes "$work/scenes.jsonl" --out "$work/frames" \
    --views 3 --samples 4 --limit $((frames - $(ls "$work/frames" 2>/dev/null | wc -l)))
  "$traced/venv/bin/python" -m tools.pathtrace textures "$work/scenes.jsonl" --out "$work/surfaces"
  "$bin/hartsim" train photos "$work/surfaces" --out "$work/corpus"
  "$bin/hartsim" train photos "$work/frames" --out "$work/corpus"
fi
[ -f "$work/words.safetensors" ] || "$bin/python" tools/meanings.py "$work/words.safetensors"

run=$work/run
"$bin/hartsim" train tokenizer --data "$work/corpus" --out "$run" --minutes 45
"$bin/hartsim" train transformer --data "$work/corpus" --out "$run" --minutes 120 \
  --words "$work/words.safetensors"
"$bin/hartsim" train decoder --data "$work/corpus" --out "$run" --minutes 60 \
  tokenizer.batch=4 tokenizer.crop_px=256 tokenizer.decoder_rate=2e-4 tokenizer.adversarial=0.1
"$bin/python" tools/ship_mini.py "$run/mini"
echo "shipped; measure it: $bin/hartsim bench quality --data $work/corpus, and see $here/tools/mini_sheets.py"
