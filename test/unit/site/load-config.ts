import assert from 'node:assert/strict'
import type { ConfigSources } from '../../../supervisor/config/merge.ts'
import type { Problem } from '../../../supervisor/config/report.ts'
import { loadConfig, parseConfigFile as parseYaml } from '../../../supervisor/site/config.ts'
import type { Config } from '../../../supervisor/site/schema.ts'
import type { AppConfig } from '../../../supervisor/workers/keys.ts'
import { expectSame } from './accepting-config.ts'

/** Nothing at all: the defaults of the schema. */
export const noSources: ConfigSources = {
  defaults: {},
  file: undefined,
  env: {},
  flags: {},
  command: [],
  readFile: path => assert.fail(`nothing should read ${path}`),
}

export function yaml(text: string): Pick<ConfigSources, 'file'> {
  const file = parseYaml({ path: 'monohull.yaml', text })
  texts.set(file, text)
  return { file }
}

/** Texts of the files that were parsed. */
const texts = new WeakMap<object, string>()

/** Result of the schema, after a comparison with what every start loads in place of it. */
function load(sources: Partial<ConfigSources>): ReturnType<typeof loadConfig> {
  const whole = { ...noSources, ...sources }
  const result = loadConfig(whole)
  const text = whole.file && texts.get(whole.file)
  if (whole.file === undefined || text !== undefined) expectSame(whole, text, result)
  return result
}

/** The configuration, with its default app at hand. */
export function accepted(sources: Partial<ConfigSources>): Config & { app: AppConfig } {
  const { app = assert.fail('no app called app'), ...others } = acceptedApps(sources).apps
  return { ...acceptedApps(sources), apps: { app, ...others }, app }
}

/** The configuration, whatever its apps are called. */
export function acceptedApps(sources: Partial<ConfigSources>): Config {
  const result = load(sources)
  assert.ok(result.ok, `refused: ${JSON.stringify(result)}`)
  return result.config
}

export function refused(sources: Partial<ConfigSources>): Problem[] {
  const result = load(sources)
  assert.ok(!result.ok, 'accepted')
  return result.problems
}

/** The one problem that is expected. */
export function refusedOnce(sources: Partial<ConfigSources>): Problem {
  const problems = refused(sources)
  assert.equal(problems.length, 1, JSON.stringify(problems, null, 2))
  return problems[0] ?? assert.fail()
}
