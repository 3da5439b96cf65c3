# The servers fetch from git by ssh, and Capistrano's own wrapper takes any host key there: somebody in between could hand them other code.
# So they get our known_hosts, which must hold the git server's keys as well, and are told to be strict.
namespace :git do
  desc "Give the servers the host keys of the git server"
  task :host_keys do
    # Without one, no server is reached at all (verify_host_key), unless there is none to reach.
    next unless File.file?(fetch(:known_hosts))

    on release_roles(:all) do
      execute :mkdir, "-p", deploy_path
      # As text: a file would bring its mode along, and the next deploy could not write over what is read-only, as a Secret is.
      upload! StringIO.new(File.read(fetch(:known_hosts))), deploy_path.join("known_hosts").to_s
    end
    options = "-o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=#{deploy_path.join("known_hosts")}"
    set :git_environmental_variables, { git_askpass: "/bin/echo", git_ssh_command: "ssh #{options}" }
  end
end

before "git:check", "git:host_keys"
