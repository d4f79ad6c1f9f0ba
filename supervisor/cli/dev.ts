import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { exitCode } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { formatProblems } from '../config/report.ts'
import { develop } from '../development/develop.ts'
import { runSupervisor } from '../run/supervisor.ts'
import type { Settings, SettingsResult } from '../site/settings.ts'
import { developmentRunDir } from './development-run-dir.ts'
import { type CommandLine, configFileOf, describeConfiguration, describeRefusal, resolveConfiguration } from './load.ts'

const unprivilegedPort = 8080

/** Runs the app for development: HTTP only, one worker, short logs, and a restart after each change. */
export async function dev(commandLine: CommandLine, outer: World): Promise<number> {
  const world: World = { ...outer, env: { NODE_ENV: 'development', ...outer.env }, isDevelopment: true }
  const resolved = await resolveForDevelopment(commandLine, world)
  if (!resolved.ok) {
    process.stderr.write(`${formatProblems(resolved.problems)}\n`)
    return exitCode.config
  }
  const configFile = configFileOf(commandLine, world)
  return runSupervisor({
    settings: resolved.settings,
    world,
    removesRunDir: resolved.settings.config.run_dir === developmentRunDir(commandLine, world),
    resolveAgain: async inForce => describeRefusal(await resolveForDevelopment(commandLine, world, inForce)),
    async describeConfig({ configFile: file, config }) {
      const port = config.http_port === unprivilegedPort ? { http_port: unprivilegedPort } : {}
      const overrides = { ...overridesOf(commandLine, world), ...port }
      return describeConfiguration(commandLine, world, { file, overrides })
    },
    async onServing({ run, apps, send, write }) {
      const settings = run.settings()
      const { http, https } = run.status()
      const deps = { settings, pools: apps.pools, http, https, send, write }
      run.add(await develop(deps, configFile && resolve(configFile)))
    },
  })
}

/** Settings for development. Its overrides take precedence over the file, which describes production; variables and flags take precedence over them. */
async function resolveForDevelopment(
  commandLine: CommandLine,
  world: World,
  inForce?: Settings,
): Promise<SettingsResult> {
  const overrides = overridesOf(commandLine, world)
  const resolved = await resolveConfiguration(commandLine, world, { overrides, inForce })
  if (!resolved.ok || mayBind(resolved.settings.config.http_port)) return resolved
  return resolveConfiguration(commandLine, world, { overrides: { ...overrides, http_port: unprivilegedPort }, inForce })
}

function overridesOf(commandLine: CommandLine, world: World): Record<string, unknown> {
  return {
    https: 'off',
    'tls.acme': undefined,
    'tls.on_demand': undefined,
    'tls.hsts': false,
    'tls.required': false,
    'tls.client_certificates.mode': 'off',
    // in development there is no TLS, no load balancer, and no host but localhost
    http3: false,
    proxy_protocol: false,
    unknown_host: 'serve',
    // it watches the file itself
    watch_config: false,
    'app.workers': 1,
    log_format: 'short',
    log_level: 'warn',
    ...(world.env.MONOHULL_IMAGE === '1' ? {} : { run_dir: developmentRunDir(commandLine, world) }),
  }
}

/** Whether this user may bind a port (ip_unprivileged_port_start, ip(7)). */
function mayBind(port: number): boolean {
  if (port === 0 || process.geteuid?.() === 0) return true
  return port >= Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'))
}
