# Added to the sample project for the demo: no server to reach by ssh, and a deploy that takes long enough to be watched.
set :sshkit_backend, SSHKit::Backend::Local
set :tmp_dir, ENV.fetch("TMPDIR")

namespace :demo do
  task :build do
    on roles(:app) do
      execute :sleep, ENV.fetch("DEMO_BUILD_SECONDS", "1")
    end
  end
end

after "deploy:updated", "demo:build"
