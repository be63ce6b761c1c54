#!/usr/bin/env bash
# Runs a consortium of three banks on this machine, each as a process of its own, in a new folder: run.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
riskprop=${RISKPROP:-riskprop}
mkdir "$1" && cp "$here"/*.yaml "$1" && cp -r "${DATA:-$here/../exampledata}" "$1/data" && cd "$1"

for bank in alice bob charlie; do "$riskprop" init "$bank" --dir "$bank" >/dev/null; done
for role in operator auditor; do "$riskprop" init "$role" --dir "$role" --role "$role" >/dev/null; done
"$riskprop" consortium ./*/*.pub.yaml >consortium.yaml
sed -i "s/ROSTER/$(sed -n 's/^roster: //p' consortium.yaml)/" keygen.yaml run-2026-q4.yaml

"$riskprop" server-config --consortium consortium.yaml --out nats --dev-ca ${SERVER_FLAGS:-}
"$riskprop" server --config nats/nats-1.conf &
trap 'kill $(jobs -p); wait' EXIT
until "$riskprop" stream --config operator.yaml 2>/dev/null; do sleep 0.2; done # the server needs a moment
"$riskprop" doctor --config alice.yaml
for session in keygen run-2026-q4; do
	parties=()
	for bank in alice bob charlie; do "$riskprop" party --config "$bank.yaml" --session "$session.yaml" & parties+=($!); done
	for party in "${parties[@]}"; do wait "$party"; done
	"$riskprop" status --config auditor.yaml --session "$session.yaml"
done
