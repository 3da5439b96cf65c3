ENV.fetch("SERVERS", "web1.example.com,web2.example.com").split(",").each do |host|
  server host, user: "deploy", roles: %w[app web]
end
