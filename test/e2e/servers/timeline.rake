# What the tests of a real deploy add to the project: each server writes down, by its own clock, when a deploy is at work on it.
# HOLD_SECONDS has a command run there for so long; HOLD_PTY=true has it run in a terminal.

TIMELINE = "/var/www/timeline".freeze

def note(word)
  revision = ENV.fetch("REVISION", "none")
  # A command of the server's shell: its clock, not this container's.
  execute :sh, "-c", "'echo #{word} #{revision} $(date +%s.%N) >> #{TIMELINE}'"
end

namespace :timeline do
  task(:begin) { on(roles(:all)) { note "begin" } }
  task(:end) { on(roles(:all)) { note "end" } }

  # One line every tenth of a second, for as long as the command lives.
  task :hold do
    seconds = ENV.fetch("HOLD_SECONDS", "0").to_i
    next if seconds.zero?

    set :pty, ENV["HOLD_PTY"] == "true"
    beat = "echo work #{ENV.fetch("REVISION", "none")} $(date +%s.%N) >> #{TIMELINE}; sleep 0.1"
    on roles(:all) do
      execute :sh, "-c", "'i=0; while [ $i -lt #{seconds * 10} ]; do #{beat}; i=$((i+1)); done'"
    end
  end
end

before "deploy:starting", "timeline:begin"
after "deploy:updating", "timeline:hold"
after "deploy:finished", "timeline:end"
