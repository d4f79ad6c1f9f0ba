import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'

/** Builds dist/: the supervisor as one file, what it loads at first use, the worker preload, the health check and the example app. */
const home = dirname(import.meta.dirname)
const dist = join(home, 'dist')
const staging = join(home, 'dist.next')

/** What the supervisor's file leaves out until somebody asks for it, for the sake of the packages it brings along. */
const apart = new Map([
  ['supervisor/admin/app.ts', 'admin.cjs'],
  ['supervisor/adapters/watcher.ts', 'watcher.cjs'],
  ['supervisor/adapters/cron.ts', 'cron.cjs'],
  ['supervisor/assembly/acme.ts', 'acme.cjs'],
])

const leaveApart: Plugin = {
  name: 'leave-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path, resolveDir }) => {
      const file = kind === 'dynamic-import' ? apart.get(relative(home, join(resolveDir, path))) : undefined
      return file === undefined ? undefined : { path: `./${file}`, external: true }
    })
  },
}

const common: BuildOptions = {
  absWorkingDir: home,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__fileUrl' },
  banner: { js: "const __fileUrl = require('node:url').pathToFileURL(__filename).href;" },
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
}

const launcher = `#!/usr/bin/env node
'use strict'
require('node:module').enableCompileCache(require('node:path').join(__dirname, 'cache'))
require('./monohull.cjs')
`

function bundle(source: string, file: string, options: BuildOptions = {}) {
  return build({ ...common, ...options, entryPoints: [source], outfile: join(staging, file) })
}

rmSync(staging, { recursive: true, force: true })
mkdirSync(staging)
await Promise.all([
  bundle('supervisor/main.ts', 'monohull.cjs', { plugins: [leaveApart] }),
  ...[...apart].map(([source, file]) => bundle(source, file)),
  bundle('supervisor/healthcheck.ts', 'healthcheck.cjs'),
  // runs in the app's own Node, which may be older
  bundle('supervisor/worker/preload.ts', 'preload.cjs', { target: 'node18' }),
  bundle('app/server.ts', 'app/server.cjs'),
])
writeFileSync(join(staging, 'launcher.cjs'), launcher)
chmodSync(join(staging, 'launcher.cjs'), 0o755)
// what runs from the old folder has read its files
rmSync(dist, { recursive: true, force: true })
renameSync(staging, dist)
