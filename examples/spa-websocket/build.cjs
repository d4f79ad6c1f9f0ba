// Replaces Vite or a similar tool: names each asset by its content hash, so that browsers can cache it forever.
const { createHash } = require('node:crypto')
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')

mkdirSync('dist/assets', { recursive: true })
const script = readFileSync('web/main.js')
const name = `assets/main.${createHash('sha256').update(script).digest('hex').slice(0, 8)}.js`
writeFileSync(`dist/${name}`, script)
writeFileSync('dist/index.html', readFileSync('web/index.html', 'utf8').replace('main.js', `/${name}`))
