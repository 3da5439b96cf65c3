# Written before there was a REVISION: the revision comes in a variable of the project's own.
set :application, "web"
set :repo_url, ENV.fetch("REPO_URL")
set :branch, ENV["WEB_DEPLOY_HASH"]
set :deploy_to, "#{ENV.fetch("DEPLOY_ROOT", "/var/www/web")}/#{fetch(:stage)}"
set :keep_releases, 3
set :ssh_options, { forward_agent: true }
