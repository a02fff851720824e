# Shared by the launchers: where the project is, and which Node runs it. Sourced, not run.
SAMSA_HOME="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
SAMSA_MIN_NODE="22.22.0"

# node_is_new_enough PROGRAM: whether PROGRAM is a Node of at least SAMSA_MIN_NODE.
node_is_new_enough() {
  "$1" -e 'const at = s => s.split(".").map(Number); const [a, b, c] = at(process.versions.node), [x, y, z] = at(process.argv[1]);
    process.exit(a > x || (a === x && (b > y || (b === y && c >= z))) ? 0 : 1)' "$SAMSA_MIN_NODE" >/dev/null 2>&1
}

# find_node: prints the Node to use: the one that bin/setup brought, else the system's if it is new enough.
find_node() {
  local candidate
  for candidate in "$SAMSA_HOME/.tooling/node_modules/.bin/node" "$(command -v node 2>/dev/null)"; do
    if [ -x "$candidate" ] && node_is_new_enough "$candidate"; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# programs_are_fresh: whether the bundles of `npm run build:programs` are there, and nothing has changed since.
programs_are_fresh() {
  local built="$SAMSA_HOME/dist/programs/.built"
  [ -f "$built" ] && [ -z "$(cd "$SAMSA_HOME" && find broker client shared admin-cli package-lock.json -newer "$built" -print -quit 2>/dev/null)" ]
}

# run_samsa FILE ARGS…: replaces this process by Node running FILE of the project.
run_samsa() {
  local file="$1" node
  shift
  # The system's or .tooling's Node was checked when set up: a start must not pay for a second Node just to ask its version.
  if [ -x "$SAMSA_HOME/.tooling/node_modules/.bin/node" ]; then
    node="$SAMSA_HOME/.tooling/node_modules/.bin/node"
  elif ! node="$(find_node)"; then
    echo "$(basename "$0"): needs Node $SAMSA_MIN_NODE or newer; run $SAMSA_HOME/bin/setup once, it brings one." >&2
    exit 1
  fi
  if [ ! -d "$SAMSA_HOME/node_modules/fastify" ]; then
    echo "$(basename "$0"): the npm packages are not installed; run $SAMSA_HOME/bin/setup once." >&2
    exit 1
  fi
  # The bundle starts in a third of the time. Whoever changes the sources gets what they say all the same.
  if programs_are_fresh; then file="dist/programs/${file%.ts}.js"; fi
  # shellcheck disable=SC2086
  exec "$node" --disable-warning=ExperimentalWarning ${SAMSA_NODE_OPTIONS:-} "$SAMSA_HOME/$file" "$@"
}
