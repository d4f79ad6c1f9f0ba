import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'

/** Builds dist/: the supervisor as one file, what it loads at first use, the worker preload, the health check and the example app. */
const home = dirname(import.meta.dirname)
const dist = join(home, 'dist')
const staging = join(home, 'dist.next')

/** Leaves the admin API, with Express, out of the supervisor's file until somebody asks for it. */
const adminApart: Plugin = {
  name: 'admin-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/app\.ts$/ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && importer.endsWith('admin/server.ts')
        ? { path: './admin.cjs', external: true }
        : undefined,
    )
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
  bundle('supervisor/main.ts', 'monohull.cjs', { plugins: [adminApart] }),
  bundle('supervisor/admin/app.ts', 'admin.cjs'),
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
