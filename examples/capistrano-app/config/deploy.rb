# What CapDeployJob runs in the Job's Pod:  REVISION=v1.0.0 cap production deploy

set :application, "web"
set :repo_url, ENV.fetch("REPO_URL", "git@github.com:livesense/web.git")
set :deploy_to, "#{ENV.fetch("DEPLOY_ROOT", "/var/www/web")}/#{fetch(:stage)}"
set :keep_releases, 3

# A tag, a branch or a commit, as the message named it. A rollback may come without one; a deploy without one fails in git.
set :branch, ENV["REVISION"]

# Who revisions.log names. The default is the login name, and a container has none.
set :local_user, ENV.fetch("DEPLOYED_BY", "capdeployjob")

# The Pod's log is the log: a log file would need a writable project directory.
set :format_options, log_file: nil, color: false

# net-ssh takes unknown host keys without a word unless it is told to be strict. The operator mounts both files (spec.sshKey).
ssh = ENV.fetch("SSH_KEY_DIRECTORY", "/etc/capdeployjob/ssh")
set :ssh_options, {
  auth_methods: %w[publickey],
  keys: ["#{ssh}/private_key"],
  verify_host_key: :always,
  user_known_hosts_file: "#{ssh}/known_hosts",
  # The servers fetch from git with the same key, if an ssh-agent that holds it runs in the Pod.
  forward_agent: true,
}
