import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mimeTypesFile, renderMimeTypes } from '../../../tools/mime-types.ts'

const text = renderMimeTypes()
const types = new Map<string, string>()
for (const [, type = '', extensions = ''] of text.matchAll(/^ {4}(\S+) ([^;\n]+);$/gm))
  for (const extension of extensions.split(' ')) types.set(extension, type)

test('the file in the repository is the one that the build generates', () => {
  assert.equal(readFileSync(join(import.meta.dirname, '../../..', mimeTypesFile), 'utf8'), text, 'npm run build')
})

test('files have the types that browsers and players expect', () => {
  const expected = {
    csv: 'text/csv',
    vtt: 'text/vtt',
    ics: 'text/calendar',
    md: 'text/markdown',
    jsonl: 'application/jsonl',
    geojson: 'application/geo+json',
    glb: 'model/gltf-binary',
    opus: 'audio/ogg',
    epub: 'application/epub+zip',
    js: 'text/javascript',
    mjs: 'text/javascript',
    cjs: 'text/javascript',
    wasm: 'application/wasm',
    svg: 'image/svg+xml',
    mp4: 'video/mp4',
    m4a: 'audio/mp4',
    flac: 'audio/flac',
    webmanifest: 'application/manifest+json',
    woff2: 'font/woff2',
    html: 'text/html',
    bin: 'application/octet-stream',
  }
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map(name => [name, types.get(name)])), expected)
})

test('no extension has two types, and types are ones that nginx can read', () => {
  const names = [...text.matchAll(/^ {4}\S+ ([^;\n]+);$/gm)].flatMap(([, names = '']) => names.split(' '))
  assert.equal(new Set(names).size, names.length)
  assert.deepEqual(
    names.filter(name => !/^[\w.+-]+$/.test(name)),
    [],
  )
})
