# Says what a deploy put in place: after deploy:finished (which ends deploy and deploy:rollback) it writes commit, committedAt and
# release as one JSON object into the file CAPDEPLOYJOB_RESULT. The entrypoint hands that on to the operator, which records it.
#
# The release is on the servers by now. Nothing here may make the deploy fail, so whatever goes wrong is a line in the log.
require "json"
require "time"
require "timeout"

result_file = ENV["CAPDEPLOYJOB_RESULT"].to_s

if !result_file.empty? && Rake::Task.task_defined?("deploy:finished")
  task "capdeployjob:result" do
    result = {}
    begin
      # Shorter than any deadline of a Job: a server that hangs now must not turn a success into a failure.
      Timeout.timeout(15) do
        # One server tells for all: Capistrano gives each the same release.
        on(release_roles(:all).first(1)) do
          commit = capture(:cat, release_path.join("REVISION")).strip
          result[:release] = release_path.basename.to_s
          result[:commit] = commit
          # The mirror that Capistrano's git plugin keeps on each server. Other plugins have none.
          if commit.match?(/\A\h{40}(\h{24})?\z/) && test("[ -f #{repo_path.join('HEAD')} ]")
            seconds = within(repo_path) { capture(:git, "--no-pager", "log", "-1", "--format=%ct", commit) }
            result[:committedAt] = Time.at(Integer(seconds.strip, 10)).utc.iso8601
          end
        end
      end
    rescue StandardError => e
      warn "capdeployjob: what was put in place is not known in whole: #{e.message.lines.first.to_s.strip}"
    end
    begin
      File.write(result_file, "#{JSON.generate(result)}\n") unless result.empty?
    rescue StandardError => e
      warn "capdeployjob: #{result_file} cannot be written: #{e.message}"
    end
  end

  after "deploy:finished", "capdeployjob:result"
end
