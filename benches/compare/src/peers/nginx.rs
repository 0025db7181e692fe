//! nginx as a plain reverse proxy that verifies nothing: what users compare with.

use super::{Command, Peer, Site};

/// One worker a core, connections kept open on both sides, no log.
#[derive(Clone, Copy, Debug)]
pub struct Nginx;

impl Peer for Nginx {
    fn name(&self) -> String {
        "nginx, verifies nothing".into()
    }

    fn command(&self, site: &Site) -> Command {
        let Site { listen, upstream, folder, cores, tls } = site;
        let (ssl, certificate) = match tls {
            None => ("", String::new()),
            Some(files) => (
                " ssl",
                format!(
                    "ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_certificate {};\n    ssl_certificate_key {};\n    \
                     ssl_session_cache off;\n    ssl_session_tickets off;",
                    files.certificate, files.key
                ),
            ),
        };
        let file = format!(
            "\
worker_processes {cores};
worker_rlimit_nofile 16384;
error_log {folder}/error.log error;
pid {folder}/nginx.pid;
events {{
  worker_connections 8192;
}}
http {{
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;
  client_max_body_size 30m;
  client_body_buffer_size 512k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream receiver {{
    server {upstream};
    keepalive 2048;
    keepalive_requests 1000000000;
  }}
  server {{
    listen {listen}{ssl} backlog=4096;
    {certificate}
    location / {{
      proxy_pass http://receiver;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"
        );
        let log = format!("{folder}/error.log");
        let configuration = format!("{folder}/nginx.conf");
        let arguments = ["-p", folder, "-e", &log, "-c", &configuration, "-g", "daemon off;"];
        Command {
            program: "nginx".into(),
            arguments: arguments.map(String::from).to_vec(),
            file: ("nginx.conf", file),
        }
    }

    fn refuses_with(&self) -> u16 {
        200
    }
}
