import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { LoadResult } from '../../../supervisor/config/load.ts'
import type { ConfigSources } from '../../../supervisor/config/merge.ts'
import type { Config } from '../../../supervisor/site/schema.ts'
import { acceptingZod, buildConfig } from '../../../tools/bundling.ts'

const directory = mkdtempSync(join(tmpdir(), 'monohull-config-'))
const file = join(directory, await buildConfig('supervisor/site/config.ts', directory, [acceptingZod]))
/** The configuration as every start reads it, with accepting-zod in place of zod. */
export const accepting: typeof import('../../../supervisor/site/config.ts') = createRequire(import.meta.url)(file)
rmSync(directory, { recursive: true })

/** Fails unless every start reads the sources as the schema does. `text` is that of their file. */
export function expectSame(sources: ConfigSources, text: string | undefined, expected: LoadResult<Config>): void {
  const parsed = text === undefined ? undefined : accepting.parseConfigFile({ path: 'monohull.yaml', text })
  const read = accepting.loadConfig({ ...sources, file: parsed })
  assert.equal(read.ok, expected.ok)
  // the classes of the two are not the same objects
  if (read.ok && expected.ok) assert.equal(shown(read.config), shown(expected.config))
}

function shown(config: Config): string {
  return inspect(config, { depth: null, maxArrayLength: null, maxStringLength: null })
}
