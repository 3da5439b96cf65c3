ENV.fetch("SERVERS").split(",").each { |host| server host, user: "deploy", roles: %w[app web] }
