import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderPhpMaps } from '../../../supervisor/routes/php.ts'
import { routeTo, toApp } from '../../routes.ts'

const shortcuts = { looksForGzip: false, looksForBrotli: false, looksForLinks: true, keepsOpen: 'never' } as const

/** Value of a map for a path, as nginx finds it: the first pattern that matches. */
function lookUp(lines: readonly string[], name: string, uri: string): string {
  const start = lines.indexOf(`map $uri $v_${name} {`)
  for (const line of lines.slice(start + 1)) {
    if (line === '}') break
    const [, flag, pattern = '', value = ''] = /^ {4}"?~(\*?)(.*?)"? (\S+);$/.exec(line) ?? []
    const match = new RegExp(pattern.replaceAll('\\\\', '\\').replaceAll('\\z', '(?![^])'), flag ? 'i' : '').exec(uri)
    if (pattern !== '' && match) return value === "''" ? '' : value.replace('$1', match[1] ?? '')
  }
  return ''
}

function mapsOf(path: string, frontController: string | undefined = '/index.php') {
  const php = {
    root: '/app/public',
    mount: path === '/' ? '' : path,
    frontController,
    scriptRoot: '$document_root',
    ...shortcuts,
  }
  const route = routeTo(toApp('app'), { path })
  const lines = renderPhpMaps({ ...route, target: { ...toApp('app'), php } }, '$v')
  return (name: string, uri: string) => lookUp(lines, name, uri)
}

describe('routes/php: maps from the path', () => {
  it('to the script and what follows it, never a script behind another file', () => {
    const at = mapsOf('/')
    assert.deepEqual([at('script', '/a.php'), at('info', '/a.php')], ['/a.php', ''])
    assert.deepEqual([at('script', '/d/a.php/x/b.php'), at('info', '/d/a.php/x/b.php')], ['/d/a.php', '/x/b.php'])
    // it does not exist, and a script has no front controller
    assert.deepEqual([at('script', '/a.jpg/x.php'), at('front', '/a.jpg/x.php')], ['/a.jpg/x.php', ''])
    assert.deepEqual([at('script', '/a.php.jpg'), at('script', '/a.phpx')], ['', ''])
    assert.deepEqual([at('script', '/'), at('script', '/admin/')], ['/index.php', '/admin/index.php'])
    assert.deepEqual([at('front', '/blog/1'), at('front', '/')], ['/index.php', '/index.php'])
  })

  it('to a file, never the source of a script', () => {
    const at = mapsOf('/')
    assert.equal(at('file', '/css/a.css'), '/css/a.css')
    for (const uri of ['/a.php', '/a.PHP', '/a.phtml', '/a.php5/x', '/a.phar', '/a.inc', '/a.phps'])
      assert.equal(at('file', uri), '', uri)
    assert.deepEqual([at('page', '/docs/'), at('page', '/'), at('page', '/docs')], ['/docs/index.html', '', ''])
    assert.deepEqual([at('slash', '/admin'), at('slash', '/admin/')], ['/admin/index.php', ''])
  })

  it('below the path of the route', () => {
    const at = mapsOf('/my.shop')
    assert.deepEqual([at('script', '/my.shop/a.php/x'), at('info', '/my.shop/a.php/x')], ['/a.php', '/x'])
    assert.deepEqual([at('file', '/my.shop/a.css'), at('file', '/myxshop/a.css')], ['/a.css', ''])
    assert.equal(at('script', '/my.shop/'), '/index.php')
  })
})
