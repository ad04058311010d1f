#!/usr/bin/env bash
# First check in a real cluster: builds the images, makes a kind cluster, applies k8s/overlays/demo, lets a person approve an action
# through it, restarts everything and looks again. One line for each check.
#
#   tools/kind-check.sh [--name NAME] [--keep] [--no-build]
#
# Exit code 0: all checks passed; 1: one failed; 2: usage, or a tool is missing.
set -euo pipefail

name=agentlattice-check
keep=no
build=yes
usage='usage: tools/kind-check.sh [--name NAME] [--keep] [--no-build]'
while [ $# -gt 0 ]; do
  case $1 in
    --name)
      [ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
      name=$2
      shift
      ;;
    --keep) keep=yes ;;
    --no-build) build=no ;;
    --help) echo "$usage"; exit 0 ;;
    *) echo "$usage" >&2; exit 2 ;;
  esac
  shift
done

for tool in docker kind kubectl node curl; do
  command -v "$tool" > /dev/null || { echo "kind-check needs $tool on PATH." >&2; exit 2; }
done
docker info > /dev/null 2>&1 || { echo 'kind-check needs a Docker daemon that answers (docker info).' >&2; exit 2; }

cd "$(dirname "$0")/.."
version=$(node -p 'require("./package.json").version')
services='gateway policy-engine approval-service audit-ledger notifier'
# Another folder is for the test of this script: the overlay reads this one.
secrets=${KIND_CHECK_SECRETS:-k8s/overlays/demo/secrets}
port=${KIND_CHECK_PORT:-18080}
base=http://127.0.0.1:$port
scratch=$(mktemp -d)
forward=
made=no

k() { kubectl --context "kind-$name" --namespace agentlattice "$@"; }

stop_forward() {
  [ -z "$forward" ] || kill "$forward" 2> /dev/null || true
  forward=
}

clean_up() {
  stop_forward
  if [ $made = yes ] && [ $keep = no ]; then kind delete cluster --name "$name" > /dev/null 2>&1 || true; fi
  rm -rf "$scratch"
}
trap clean_up EXIT

# Runs a check (in it `set -e` has no effect, so each step says what a failure means); the first one that fails ends the run, with what the cluster says.
check() {
  local title=$1
  shift
  if "$@" > "$scratch/output" 2>&1; then
    echo "ok     $title"
    return
  fi
  echo "FAILED $title"
  tail -n 30 "$scratch/output"
  if [ $made = yes ]; then
    k get pods,jobs || true
    k get events --sort-by=.lastTimestamp | tail -n 20 || true
    for service in migrate $services; do
      k logs --selector "app.kubernetes.io/name=$service" --tail 20 --prefix || true
    done
  fi
  exit 1
}

# One member of the JSON in the last answer.
member() { node -p "String(JSON.parse(require('fs').readFileSync('$scratch/answer', 'utf8'))$1)"; }
credential() { node -p "JSON.parse(require('fs').readFileSync('$secrets/credentials.json', 'utf8'))$1"; }

# call KEY METHOD PATH STATUS [BODY]: an answer with that status, kept in $scratch/answer
call() {
  local status
  status=$(curl --silent --show-error --max-time 30 --output "$scratch/answer" --write-out '%{http_code}' \
    --request "$2" --header "Authorization: Bearer $1" --header 'Content-Type: application/json' \
    ${5:+--data "$5"} "$base$3")
  [ "$status" = "$4" ] || { echo "$2 $3 answered $status:"; cat "$scratch/answer"; return 1; }
}

eventually() {
  local i
  for i in $(seq 60); do
    "$@" && return
    sleep "${KIND_CHECK_PAUSE:-2}"
  done
  echo "gave up after $i tries"
  return 1
}

forwarded() {
  stop_forward
  k port-forward service/gateway "$port:80" > "$scratch/forward" 2>&1 &
  forward=$!
  eventually call none GET /readyz 200
}

build_images() {
  local service
  for service in $services; do
    docker build --quiet --target service --build-arg "SERVICE=$service" --tag "ghcr.io/agentlattice/$service:$version" . ||
      return 1
  done
  docker build --quiet --target migrate --build-arg SERVICE=migrate --tag "ghcr.io/agentlattice/migrate:$version" .
}

load_images() {
  local image
  for image in $services migrate; do
    kind load docker-image --name "$name" "ghcr.io/agentlattice/$image:$version" || return 1
  done
}

make_secrets() { [ -d "$secrets" ] || node tools/deploy-secrets.mjs "$secrets"; }

rolled_out() {
  local workload
  for workload in statefulset/postgres statefulset/nats statefulset/redis deployment/mailpit; do
    k rollout status "$workload" --timeout=5m || return 1
  done
  k wait --for=condition=complete job --selector app.kubernetes.io/name=migrate --timeout=5m || return 1
  for workload in $services; do k rollout status "deployment/$workload" --timeout=5m || return 1; done
}

approved() {
  call "$agent" GET "/api/v1/approvals/$approval/status" 200 && [ "$(member .status)" = approved ]
}

intact() {
  call "$admin" GET /api/v1/audit/verify 200 && [ "$(member .chain_valid)" = true ]
}

requested() {
  call "$agent" POST /api/v1/actions 202 '{"action_type":"kind.check","metadata":{"why":"first check"}}'
}

restarted() {
  k rollout restart deployment && rolled_out
}

if [ $build = yes ]; then check 'all six images build' build_images; fi
check 'kind makes a cluster' kind create cluster --name "$name" --wait 3m
made=yes
check 'the images are in the cluster' load_images
check 'there are secrets for the demo' make_secrets
check 'the demo overlay is applied' k apply --kustomize k8s/overlays/demo
check 'servers, migration and services are ready' rolled_out
check 'every part is ready through the gateway' forwarded
admin=$(credential .admin.api_key)
agent=$(credential .agent.api_key)
check 'a policy is made' call "$admin" POST /api/v1/policies 201 \
  '{"name":"kind check","action_type":"kind.check","effect":"require_approval"}'
check 'an action waits for a person' eventually requested
approval=$(member .approval_id)
check 'a person approves it' call "$admin" POST "/api/v1/approvals/$approval/approve" 200 '{"reason":"kind check"}'
check 'the agent sees the decision' eventually approved
check 'all services restart' restarted
check 'every part is ready again' forwarded
check 'the decision is still there' approved
check 'the log is intact' eventually intact
echo 'all checks passed'
