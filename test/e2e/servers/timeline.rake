# What the tests of a real deploy add to the project: each server writes down, by its own clock, when a deploy is at work on it.
# HOLD_REVISION has a command run there for HOLD_SECONDS while that revision is deployed, in a terminal where HOLD_PTY is true.

TIMELINE = "/var/www/timeline".freeze
REVISION_OF_DEPLOY = ENV.fetch("REVISION", "none")

set :pty, true if ENV["HOLD_PTY"] == "true"

# Written by the server's shell: its clock counts, not this container's.
def noting(word)
  "echo #{word} #{fetch(:stage)} #{REVISION_OF_DEPLOY} $(date +%s.%N) >> #{TIMELINE}"
end

namespace :timeline do
  task(:begin) { on(roles(:all)) { execute(:sh, "-c", "'#{noting("begin")}'") } }
  task(:end) { on(roles(:all)) { execute(:sh, "-c", "'#{noting("end")}'") } }

  # A line every tenth of a second, for as long as the command lives.
  task :hold do
    next unless ENV["HOLD_REVISION"] == REVISION_OF_DEPLOY

    turns = ENV.fetch("HOLD_SECONDS").to_i * 10
    on(roles(:all)) do
      beats = "i=0; while [ $i -lt #{turns} ]; do #{noting("work")}; sleep 0.1; i=$((i+1)); done"
      execute(:sh, "-c", "'#{beats}'")
    end
  end
end

before "deploy:starting", "timeline:begin"
after "deploy:updating", "timeline:hold"
after "deploy:finished", "timeline:end"
