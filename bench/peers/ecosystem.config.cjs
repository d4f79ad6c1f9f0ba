// PM2 in cluster mode, nginx under it. The variables come from bench/stacks/pm2.ts.
const {
  BENCH_APP: cwd,
  BENCH_ENTRY: script,
  BENCH_WORKERS: instances,
  BENCH_MAX_MEMORY: max_memory_restart,
  BENCH_PORT: port,
  BENCH_NGINX_CONF: conf,
  BENCH_LOG: log,
} = process.env
const logs = { out_file: log, error_file: log }
const recycling = max_memory_restart ? { max_memory_restart } : {}

module.exports = {
  apps: [
    { name: 'app', script, cwd, instances, exec_mode: 'cluster', env: { PORT: port }, ...recycling, ...logs },
    { name: 'nginx', script: '/usr/sbin/nginx', args: ['-e', 'stderr', '-c', conf], interpreter: 'none', ...logs },
  ],
}
