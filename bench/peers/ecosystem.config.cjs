// PM2 in cluster mode, nginx under it. The variables come from bench/stacks/pm2.ts.
const {
  BENCH_APP: cwd,
  BENCH_WORKERS: instances,
  BENCH_PORT: port,
  BENCH_NGINX_CONF: conf,
  BENCH_LOG: log,
} = process.env
const logs = { out_file: log, error_file: log }

module.exports = {
  apps: [
    { name: 'app', script: 'server.js', cwd, instances, exec_mode: 'cluster', env: { PORT: port }, ...logs },
    { name: 'nginx', script: '/usr/sbin/nginx', args: ['-e', 'stderr', '-c', conf], interpreter: 'none', ...logs },
  ],
}
