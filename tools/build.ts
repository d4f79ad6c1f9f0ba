import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'rolldown'
import {
  acceptingZod,
  ascii,
  buildConfig,
  home,
  input,
  output,
  shortNames,
  withoutCharacterTables,
} from './bundling.ts'
import { mimeTypesFile, renderMimeTypes } from './mime-types.ts'
import { buildStatusPage, statusPageFile } from './status-page.ts'

// Builds dist/ (the supervisor, the worker preload, the program that starts children, the health check, the welcome app and the status page)
// and nginx's media types.
const dist = join(home, 'dist')
const staging = join(home, 'dist.next')
const keptMs = 30 * 24 * 3_600_000

/** Handlers until those of the run are installed: what a reload or restart would change has not been read yet. */
const earlySignals = `const [, , name = 'run'] = process.argv
if (name === 'run' || name === 'dev' || name.startsWith('-')) {
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU', 'SIGWINCH']) process.on(signal, () => {})
  // SIGUSR1 may have opened it before
  if (!process.execArgv.some(argument => argument.startsWith('--inspect')) && mayHaveInspector())
    require('node:inspector').close()
  // Ctrl-Z in a container would freeze it for good: nobody could continue it
  if (process.env.MONOHULL_IMAGE === '1') process.on('SIGTSTP', () => {})
  for (const signal of ['SIGTERM', 'SIGQUIT', 'SIGINT']) process.on(signal, () => process.exit(0))
  // the last one: start.sh passes signals on as soon as it is there
  process.on('SIGHUP', () => {})
}

/** Whether the inspector has a thread. Loading it to ask would take longer than all other lines here. Older versions of Node do not name threads. */
function mayHaveInspector() {
  const { readdirSync, readFileSync } = require('node:fs')
  try {
    const threads = readdirSync('/proc/self/task').map(id => readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim())
    return threads.includes('InspectorIo') || !threads.includes('SignalInspector')
  } catch {
    return true
  }
}`

/**
 * Code is compiled by V8's optimizing compilers when it runs for long, as the relay of logs does, not while a long configuration is read: what
 * they need stays with their threads (decision 80).
 */
const compilers = `require('node:v8').setFlagsFromString('--invocation-count-for-maglev=20000')
require('node:v8').setFlagsFromString('--invocation-count-for-turbofan=20000')`

const launcher = `#!/usr/bin/env node
'use strict'
${earlySignals}
${compilers}
require('node:module').enableCompileCache(require('node:path').join(__dirname, 'cache'))
require('./monohull.cjs')
`

/** Builds a program into one file. */
function buildFile(source: string, file: string, target = 'node22') {
  return build({
    ...input,
    input: source,
    transform: { target },
    output: { ...output, file: join(staging, file), codeSplitting: false },
  })
}

/**
 * Builds the supervisor: one file with the code that every start needs until the workers boot, one with what it needs then, and separate
 * files for code that is imported on first use. Every start must work without packages, because each would cost startup time and memory. The welcome app is built
 * with it, so that both share one file with Express.
 */
async function buildSupervisor() {
  const configs = {
    'site/config.ts': await buildConfig('supervisor/site/config.ts', staging, [acceptingZod]),
    'site/whole-config.ts': await buildConfig('supervisor/site/whole-config.ts', staging),
  }
  const program = join(home, 'supervisor/main.ts')
  const serving = join(home, 'supervisor/run/start-serving.ts')
  const started = new Set<string>()
  const servedWith = new Set<string>()
  const followImports: Plugin = {
    name: 'follow-imports',
    buildEnd() {
      const visit = (id: string, from: string, found: Set<string>) => {
        if (started.has(id) || found.has(id)) return
        if (id.includes('/node_modules/'))
          this.error(`every start would load ${id}: ${from} must import it dynamically`)
        found.add(id)
        for (const imported of this.getModuleInfo(id)?.importedIds ?? []) visit(imported, id, found)
      }
      visit(program, 'the program', started)
      visit(serving, 'the program', servedWith)
    },
  }
  const ownFiles: Plugin = {
    name: 'own-files',
    resolveId(id) {
      const found = Object.entries(configs).find(([source]) => id.endsWith(`/${source}`))
      return found && { id: `./${found[1]}`, external: true }
    },
  }
  return build({
    ...input,
    input: { monohull: program, 'app/server': 'app/server.ts' },
    transform: { target: 'node22' },
    plugins: [ownFiles, followImports, withoutCharacterTables, shortNames, ascii],
    output: {
      ...output,
      dir: staging,
      codeSplitting: {
        groups: [
          { name: 'start', test: id => started.has(id) },
          { name: 'serving', test: id => servedWith.has(id) },
        ],
      },
    },
  })
}

/** Keeps the chunks of earlier builds, because a running instance may still load them, for example on reload. */
function keepChunks(): void {
  if (!existsSync(dist)) return
  for (const name of readdirSync(dist)) {
    const [path, kept] = [join(dist, name), join(staging, name)]
    const isChunk = /-[\w-]{8}\.cjs$/.test(name)
    if (isChunk && !existsSync(kept) && Date.now() - statSync(path).mtimeMs < keptMs) renameSync(path, kept)
  }
}

/** Writes nginx's media types, which are in the repository so that the sources run without a build. */
function writeMimeTypes(): void {
  const [path, text] = [join(home, mimeTypesFile), renderMimeTypes()]
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text)
}

const startedAt = new Date()
rmSync(staging, { recursive: true, force: true })
mkdirSync(staging)
writeMimeTypes()
await Promise.all([
  buildSupervisor(),
  buildFile('supervisor/run/healthcheck.ts', 'healthcheck.cjs'),
  // runs in the app's own Node, which may be older
  buildFile('supervisor/workers/preload.ts', 'preload.cjs', 'node18'),
  buildStatusPage().then(page => writeFileSync(join(staging, statusPageFile), page)),
])
copyFileSync(join(home, 'supervisor/processes/adapters/launch.pl'), join(staging, 'launch.pl'))
writeFileSync(join(staging, 'launcher.cjs'), launcher)
chmodSync(join(staging, 'launcher.cjs'), 0o755)
keepChunks()
// so that a source saved during the build counts as newer than the build
utimesSync(join(staging, 'monohull.cjs'), startedAt, startedAt)
rmSync(dist, { recursive: true, force: true })
renameSync(staging, dist)
