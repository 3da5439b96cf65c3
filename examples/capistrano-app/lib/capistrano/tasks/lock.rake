# A deploy waits for what an earlier one left running on the servers.
#
# A `cap` that is stopped does not stop what it has started there: sshd lets a command without a terminal live on. Kubernetes sees no processes
# on your servers, so the next deploy starts. Here each command of a deploy holds a shared lock on its server for as long as it runs, whatever
# becomes of cap; a deploy begins by asking for the lock alone. It is the kernel's lock: nothing is left to be removed by hand.
#
# What it does not see: commands that are given as one string (execute "make && make install"), commands of other programs, and processes that
# a command leaves in the background on purpose (your application's server, which would hold it for ever).
module HoldsDeployLock
  # -s: shared, for a deploy may run several at a time. -o: what the command leaves in the background does not hold it.
  def [](command)
    value = super
    %w[if test time exec].include?(command.to_s) ? value : "flock -so #{fetch(:lock_file)} #{value}"
  end
end

namespace :load do
  task :defaults do
    set :lock_file, -> { "#{fetch(:tmp_dir)}/capistrano-#{fetch(:application)}-#{fetch(:stage)}.lock" }
    # How long a deploy waits for commands of an earlier one, in seconds.
    set :lock_wait, 120
  end
end

namespace :deploy do
  desc "Wait until no command of an earlier deploy runs on the servers any more"
  task :lock do
    on release_roles(:all) do |host|
      next if test("flock --exclusive --nonblock #{fetch(:lock_file)} true")

      warn "on #{host}, a command of an earlier deploy still runs; waiting for it, up to #{fetch(:lock_wait)} s"
      unless test("flock --exclusive --timeout #{fetch(:lock_wait)} #{fetch(:lock_file)} true")
        raise "on #{host}, a command of an earlier deploy still runs after #{fetch(:lock_wait)} s. " \
              "See who holds it: fuser -v #{fetch(:lock_file)}; end it, and send the request again with a new id"
      end
    end
    SSHKit.config.command_map.extend(HoldsDeployLock)
  end
end

before "deploy:starting", "deploy:lock"
