import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { build } from 'rolldown'
import { home } from './bundling.ts'

/** File in `dist/` with the status page, as it is sent. */
export const statusPageFile = 'status-page.html.gz'

/** The status page in one file, compressed: its script with Preact and uPlot, and its style, are inlined. */
export async function buildStatusPage(): Promise<Buffer> {
  const { output } = await build({
    cwd: home,
    input: 'page/main.ts',
    platform: 'browser',
    logLevel: 'warn',
    write: false,
    transform: { target: 'es2022' },
    output: { format: 'iife', minify: true, codeSplitting: false },
  })
  // neither may end its element, and a function keeps `$&` in them as it is
  const script = output[0].code.trim().replaceAll('</script', '<\\/script')
  const style = minified(readFileSync(join(home, 'page/style.css'), 'utf8'))
  const html = readFileSync(join(home, 'page/index.html'), 'utf8')
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`)
  return gzipSync(html, { level: constants.Z_BEST_COMPRESSION })
}

function minified(css: string): string {
  return css
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,>]) ?/g, '$1')
    .trim()
}
