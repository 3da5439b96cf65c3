# What CapDeployJob runs in the Job's Pod:  REVISION=v1.0.0 cap production deploy
require "socket"

set :application, "web"
set :repo_url, ENV.fetch("REPO_URL", "git@github.com:livesense/web.git")
set :deploy_to, "#{ENV.fetch("DEPLOY_ROOT", "/var/www/web")}/#{fetch(:stage)}"
set :keep_releases, 3

# A tag, a branch or a commit, as the message named it. A rollback may come without one; a deploy without one is refused before it gets here.
set :branch, ENV["REVISION"]

# Who revisions.log names. The default is the login name, and a container has none. The host is the Pod, and its Job's history entry says who asked.
set :local_user, ENV.fetch("DEPLOYED_BY") { "capdeployjob/#{Socket.gethostname}" }

# The Pod's log is the log: a log file would need a writable project directory.
set :format_options, log_file: nil, color: false

# A command that runs on a server when a deploy is aborted runs on to its end there, and the next deploy waits for it (lock.rake). With a
# terminal it is ended with the connection instead (SIGHUP), be it a migration; git then writes its progress into the log.
# set :pty, true

# net-ssh takes unknown host keys without a word unless it is told to be strict. The operator mounts both files (spec.sshKey), and the image's
# entrypoint says where, and has put the key into an agent.
ssh = ENV.fetch("SSH_KEY_DIRECTORY", "/etc/capdeployjob/ssh")
set :known_hosts, "#{ssh}/known_hosts"
set :ssh_options, {
  auth_methods: %w[publickey],
  verify_host_key: :always,
  user_known_hosts_file: fetch(:known_hosts),
  # The servers fetch from git with the same key.
  forward_agent: true,
}
