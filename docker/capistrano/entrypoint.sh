#!/bin/sh
# First process of the Job's container:  REVISION=<revision> [bundle exec] cap <environment> <task>…
#
# It refuses what a message must never bring into a command line, puts the mounted key into an ssh-agent, runs cap, passes SIGTERM on to it
# and to the programs that it runs, and leaves with cap's exit code (128 + signal where a signal ended it). Exit 2: refused, nothing was run. Exit 1: the key cannot be used.
#
# SSH_KEY_DIRECTORY  holds private_key and known_hosts. Default: the first of /etc/capdeployjob/ssh and $HOME/.ssh with a private_key.
#                    Empty: this deploy needs no key. cap gets it set, for deploy.rb to find known_hosts.
#
# Where cap succeeds, what result.rake says of the release becomes the container's termination message, for the operator to record.
set -u

newline='
'

say() { printf 'capdeployjob: %s\n' "$*" >&2; }

fail() { # fail <exit code> <words…>
  code=$1
  shift
  say "ERROR: $*"
  exit "$code"
}

# A value that may be hostile, fit for a log.
shown() { printf '"%s"' "$(printf %s "$1" | LC_ALL=C tr -c '[:print:]' '?' | cut -c 1-100)"; }

# --- What may be run -----------------------------------------------------------------------------------------------------------------
# cap is Rake: it takes -e and -f, and NAME=value sets variables. Capistrano writes REVISION unquoted into commands on the servers
# (capistrano#2187). So the operator's rules for messages are held here once more; a test keeps them in step with revisionProblem,
# ENVIRONMENT_PATTERN and TASK_PATTERN of src/api/deploy-request.ts.

revision_problem() { # prints what is wrong with it, or nothing
  case $1 in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._/@+-]*) set -- '' ;;
  esac
  if [ ${#1} -lt 1 ] || [ ${#1} -gt 244 ]; then
    echo 'must be 1 to 244 of the characters A-Z a-z 0-9 . _ / @ + - and start with a letter or a digit'
    return
  fi
  case $1 in
    *..*) echo 'must not contain ".."' ;;
    *//*) echo 'must not contain "//"' ;;
    *@\{*) echo 'must not contain "@{"' ;;
    *.lock | *.lock/*) echo 'must not have a part that ends in ".lock"' ;;
    */ | *.) echo 'must not end in "/" or "."' ;;
  esac
}

is_environment() {
  case $1 in
    '' | *[!A-Za-z0-9_-]* | [!A-Za-z0-9]* | *[!A-Za-z0-9]) return 1 ;;
  esac
  [ ${#1} -le 50 ]
}

is_task() {
  case $1 in
    [!a-z]* | '' | *[!A-Za-z0-9_:-]* | *[:-][:-]* | *[:-]) return 1 ;;
  esac
  [ ${#1} -le 100 ]
}

# Shows something and deploys nothing.
is_listing() {
  case $1 in
    -T | -AT | --tasks | -V | --version | -h | -H | --help) return 0 ;;
  esac
  return 1
}

# Sets mode to deploy, or to list.
check_arguments() {
  if [ "${1-}" = bundle ] && [ "${2-}" = exec ]; then shift 2; fi
  if [ "${1-}" != cap ]; then
    fail 2 "this image runs \"cap <environment> <task>\" (or \"bundle exec cap …\") and no other program, not $(shown "${1-}")." \
      'To look around in it, give it another entry point: docker run -it --entrypoint sh <image>, or "command" in a Pod.'
  fi
  shift
  if [ $# = 1 ] && is_listing "$1"; then
    mode=list
    return
  fi
  is_environment "${1-}" || fail 2 "environment $(shown "${1-}"): expected 1 to 50 letters, digits, - and _, the first and the last a" \
    'letter or a digit, as in "cap production deploy". Options such as -e and -f, and NAME=value, are not passed on to cap.'
  shift
  if [ $# = 1 ] && is_listing "$1"; then
    mode=list
    return
  fi
  [ $# -gt 0 ] || fail 2 'a task is missing, as in "cap production deploy"; "cap -T" lists them'
  mode=deploy
  for argument; do
    is_task "$argument" || fail 2 "task $(shown "$argument"): expected words as in deploy, deploy:rollback or" \
      'puma:phased-restart, 100 characters at most.' \
      'Options such as -e and -f, NAME=value and task[argument] are not passed on to cap; settings go into "env" of the Pod template.'
    if [ "$argument" = deploy ] && [ -z "${REVISION-}" ]; then
      fail 2 'REVISION is not set: a deploy needs a tag, branch or commit in it, as in REVISION=v1.0.0 cap production deploy'
    fi
  done
}

# REVISION, and the variables that carry it to older projects: what ends in _DEPLOY_HASH.
check_revisions() {
  for name in REVISION $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*_DEPLOY_HASH\)=.*/\1/p'); do
    eval "value=\${$name-}"
    [ -n "$value" ] || continue
    problem=$(revision_problem "$value")
    [ -z "$problem" ] || fail 2 "$name $(shown "$value") $problem"
  done
}

# --- The key and the host keys -------------------------------------------------------------------------------------------------------

# A directory for the agent's socket. The root file system may be read-only, and then there may be a /tmp, and there is a /dev/shm.
make_scratch() {
  for parent in "${TMPDIR:-/tmp}" /tmp /dev/shm /run; do
    scratch=$(mktemp -d "$parent/capdeployjob.XXXXXX" 2>/dev/null) && break
    scratch=
  done
  [ -n "$scratch" ] || fail 1 'no directory can be written to, and ssh-agent needs one: mount an emptyDir at /tmp'
  # Ruby and git want one, too.
  [ -w "${TMPDIR:-/tmp}" ] || export TMPDIR="$scratch"
}

find_key_directory() {
  if [ -n "${SSH_KEY_DIRECTORY+given}" ]; then return; fi
  SSH_KEY_DIRECTORY=/etc/capdeployjob/ssh
  for directory in /etc/capdeployjob/ssh "${HOME-}/.ssh"; do
    if [ -e "$directory/private_key" ]; then
      SSH_KEY_DIRECTORY=$directory
      break
    fi
  done
}

# Of a key with a passphrase, by its header alone: in OpenSSH's own format the name of the cipher follows the magic; "none" is BG5vbmU.
is_encrypted() {
  case $(sed -n '/^-----BEGIN/{p;n;p;q;}' "$1" | tr -d '\r\n ') in
    *'ENCRYPTED'*) return 0 ;;
    *b3BlbnNzaC1rZXktdjEAAAAABG5vbmU*) return 1 ;;
    *b3BlbnNzaC1rZXktdjEA*) return 0 ;;
  esac
  return 1
}

# UTF-16 puts a NUL byte beside each letter of ASCII; what ssh reads has none.
is_utf16() { [ "$(tr -dc '\000' <"$1" | wc -c)" -gt 0 ]; }
UTF16='is text in UTF-16, which PowerShell writes: save it as ASCII or UTF-8'

# What was made of a key that ssh-add refuses. It shows nothing of the file.
key_problem() { # key_problem <file> <words of ssh-add>
  if is_utf16 "$1"; then
    printf %s "it $UTF16"
    return
  fi
  case $(tr '\r\t' '\n ' <"$1" | sed '/^ *$/d') in
    '') printf %s 'it is empty' ;;
    ssh-* | ecdsa-* | sk-* | ----*BEGIN*PUBLIC\ KEY*)
      printf %s 'it is a public key: store the other file of the pair, the one without .pub' ;;
    LS0tLS1CRUdJTi*)
      printf %s 'it is the base64 of a key: a Secret takes that once in "data", and the file as it is in "stringData"' ;;
    PuTTY-User-Key-File*)
      printf %s 'it is a key of PuTTY: convert it (puttygen <file> -O private-openssh -o id)' ;;
    *'-----BEGIN'*"$newline"*'-----END'*)
      printf %s "$2" | tr -c '[:print:]' ' ' | cut -c 1-200 | tr -d '\n' ;;
    *'-----BEGIN'*'-----END'*) printf %s 'it is one line: its line ends were lost, or are written as \n' ;;
    *'-----BEGIN'*) printf %s 'its end is missing' ;;
    *) printf %s 'it has no -----BEGIN' ;;
  esac
}

add_key() {
  key=$SSH_KEY_DIRECTORY/private_key
  if [ ! -e "$key" ]; then
    if [ -n "${SSH_AUTH_SOCK-}" ]; then
      say "no $key; the agent at SSH_AUTH_SOCK is used"
      return
    fi
    fail 1 "there is no SSH key at $key, nor at ${HOME-}/.ssh/private_key: name its Secret in spec.sshKey.secretName of the CapDeployJob, and" \
      'its key in spec.sshKey.key; a deploy that needs none says so with an empty SSH_KEY_DIRECTORY in "env" of the template'
  fi
  [ -r "$key" ] || fail 1 "$key cannot be read by user $(id -u), groups $(id -G): set securityContext: { runAsNonRoot: true, fsGroup:" \
    "$(id -g) } in spec.template.spec of the CapDeployJob, so that the Secret's files belong to a group of that user"
  if is_encrypted "$key"; then
    fail 1 "$key has a passphrase, and nobody is here to type it: store a deploy key without one (ssh-keygen -p -N '' -f <copy>)"
  fi
  eval "$(ssh-agent -s -a "$scratch/agent")" >/dev/null
  [ -S "$scratch/agent" ] || fail 1 "ssh-agent did not start (its socket would be $scratch/agent)"
  agent=$SSH_AGENT_PID
  # By standard input, which has no mode to be refused for; and a Secret made by copy and paste often lacks its last line's end, or has
  # carriage returns.
  problem=$({ tr -d '\r' <"$key" && echo; } | SSH_ASKPASS_REQUIRE=never ssh-add -q - 2>&1) ||
    fail 1 "$key is no private key that ssh-add takes: $(key_problem "$key" "$problem")." \
      'The Secret must hold the whole file as ssh-keygen wrote it, from -----BEGIN to -----END'
}

use_known_hosts() {
  known_hosts=$SSH_KEY_DIRECTORY/known_hosts
  if [ -r "$known_hosts" ] && is_utf16 "$known_hosts"; then
    say "WARNING: $known_hosts $UTF16. No host key in it can be read, so every server is refused."
  fi
  if [ ! -s "$known_hosts" ] || [ ! -r "$known_hosts" ]; then
    say 'WARNING: ************************************************************************************************'
    say "WARNING: no known_hosts at $known_hosts: no server can be told from an impostor."
    say 'WARNING: This image therefore refuses every server that it does not know (StrictHostKeyChecking), unless your'
    say 'WARNING: deploy.rb turns that off: whoever answers then gets the code, and may use the forwarded key.'
    say 'WARNING: Add the key known_hosts to the Secret of spec.sshKey: ssh-keyscan <hosts>, compared with the servers.'
    say 'WARNING: ************************************************************************************************'
    return
  fi
  # For git here in the Pod; ssh_config of the image says the same for ssh, scp and net-ssh, where the file is in its usual place.
  case $known_hosts in
    *[!A-Za-z0-9._/-]*) ;;
    *) export GIT_SSH_COMMAND="${GIT_SSH_COMMAND-ssh -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$known_hosts}" ;;
  esac
}

# --- A name for the user -------------------------------------------------------------------------------------------------------------

# runAsUser may be any number (OpenShift gives each namespace its own). Where no list of users has it, ssh and git end with "No user exists for
# uid …", and Ruby's Etc.getpwuid raises. /etc cannot be written to, so nss_wrapper answers in place of the C library. It is named by its path:
# a setgid program (ssh-agent) passes over it then, and complains of a bare name.
name_user() {
  if id -un >/dev/null 2>&1; then return; fi
  [ -n "$scratch" ] || make_scratch
  for library in /usr/lib/*/libnss_wrapper.so /usr/lib64/libnss_wrapper.so /usr/lib/libnss_wrapper.so ''; do
    if [ -s "$library" ]; then break; fi
  done
  if [ -z "$library" ]; then
    say "WARNING: user $(id -u) has no name in this image, and ssh and git refuse to run for it: install libnss-wrapper in the image, or set"
    say 'WARNING: securityContext.runAsUser in spec.template.spec to a user that the image knows.'
    return
  fi
  # The runtime says HOME=/ for such a user.
  case ${HOME-} in
    /?*) [ -d "$HOME" ] && [ -w "$HOME" ] && [ "$HOME" = "${HOME#*:}" ] || HOME=$scratch/home ;;
    *) HOME=$scratch/home ;;
  esac
  mkdir -p "$HOME"
  # The name of the image's own user: ssh and git log in by it where a URL names nobody, whatever the number.
  { sed '/^deploy:/d' /etc/passwd && echo "deploy:x:$(id -u):$(id -g)::$HOME:/bin/sh"; } >"$scratch/passwd"
  if id -gn >/dev/null 2>&1; then cat /etc/group; else sed '/^deploy:/d' /etc/group && echo "deploy:x:$(id -g):"; fi >"$scratch/group"
  export HOME NSS_WRAPPER_PASSWD="$scratch/passwd" NSS_WRAPPER_GROUP="$scratch/group"
  export LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}"
}

# --- What was put in place -----------------------------------------------------------------------------------------------------------

TERMINATION_LOG=/dev/termination-log
# Rake reads each *.rake in these folders after the Capfile; "rakelib" is its default.
RESULT_TASKS=/usr/local/share/capdeployjob/tasks

# The operator reads one line of 512 characters at most. A message here keeps the end of the log out of the status: a failed deploy needs that.
hand_on_result() {
  [ -s "$CAPDEPLOYJOB_RESULT" ] && [ -f "$TERMINATION_LOG" ] && [ -w "$TERMINATION_LOG" ] || return 0
  line=$(head -n 1 "$CAPDEPLOYJOB_RESULT" | LC_ALL=C tr -cd '[:print:]')
  [ ${#line} -le 480 ] || return 0
  printf 'capdeployjob-result: %s\n' "$line" >"$TERMINATION_LOG" || say "WARNING: $TERMINATION_LOG cannot be written to"
}

# --- Running it ----------------------------------------------------------------------------------------------------------------------

stop() { # stop <signal number>
  stopped=$1
  interrupted=yes
  [ -z "$child" ] || pass_on
}

# SIGTERM whatever came: a shell starts its background commands with SIGINT ignored, and they keep that. To the whole group: cap waits for
# a local program that it runs (git, rsync, a build) before it ends itself.
pass_on() { kill -TERM "-$child" 2>/dev/null || kill -TERM "$child" 2>/dev/null; }

clean_up() {
  [ -z "$agent" ] || kill "$agent" 2>/dev/null
  [ -z "$scratch" ] || rm -rf "$scratch"
}

child='' agent='' scratch='' stopped='' mode='' # ---- from here on things are done; the tests take the functions above alone
# Before all else: the kernel gives process 1 no signal that it has no handler for, and the Pod would sit out its grace period.
trap 'stop 15' TERM
trap 'stop 2' INT
trap 'stop 1' HUP
trap clean_up EXIT

# A-Z is to mean those 26 letters while patterns are compared, and cap is to get the locale that it was given.
locale=${LC_ALL-} had_locale=${LC_ALL+yes}
LC_ALL=C
check_arguments "$@"
check_revisions
if [ -n "$had_locale" ]; then LC_ALL=$locale; else unset LC_ALL; fi

if [ "$mode" = deploy ]; then
  make_scratch
  find_key_directory
  if [ -n "$SSH_KEY_DIRECTORY" ]; then
    add_key
    use_known_hosts
    export SSH_KEY_DIRECTORY
  fi
  say "${REVISION:+REVISION=$REVISION }$*"
  export CAPDEPLOYJOB_RESULT="$scratch/result"
  if [ -e "$RESULT_TASKS/result.rake" ]; then set -- "$@" --rakelibdir "rakelib:$RESULT_TASKS"; fi
fi
name_user

[ -z "$stopped" ] || exit $((128 + stopped))
# A background command's standard input is /dev/null unless it is handed over like this. A session of its own makes it lead a group.
exec 3<&0
setsid "$@" <&3 3<&- &
child=$!
[ -z "$stopped" ] || pass_on

# `wait` ends early where a signal comes. Waiting once more tells how cap ended, or 127 where that was told already.
status='' again=yes
while [ -n "$again" ]; do
  interrupted=
  wait "$child"
  code=$?
  if [ -z "$status" ] || [ $code != 127 ]; then status=$code; fi
  again=$interrupted
done
child=
if [ "$mode$status" = deploy0 ]; then hand_on_result; fi
exit "$status"
