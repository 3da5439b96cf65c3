ENV.fetch("SERVERS", "staging.example.com").split(",").each do |host|
  server host, user: "deploy", roles: %w[app web]
end
