import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { launchChromium, type Page } from '../chromium.ts'
import { until } from './monohull.ts'

function createVisitor(page: Page) {
  const evaluate = async <T>(expression: string): Promise<T> => {
    const found = await page.call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    const { result, exceptionDetails } = found as { result: { value: T }; exceptionDetails?: unknown }
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails))
    return result.value
  }
  const button = (name: string) =>
    `[...document.querySelectorAll('button')].find(one => (one.ariaLabel ?? one.innerText) === ${JSON.stringify(name)})`
  return {
    evaluate,
    has: (name: string) => evaluate<boolean>(`${button(name)} !== undefined`),
    async click(name: string) {
      await until(name, () => evaluate<boolean>(`!!${button(name)} && !${button(name)}.disabled`))
      await evaluate(`${button(name)}.click()`)
    },
    focus: (name: string) => evaluate(`${button(name)}.focus()`),
    async press(key: string, code: number) {
      const text = key === 'Enter' ? { text: '\r' } : {}
      for (const type of ['keyDown', 'keyUp'])
        await page.call('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode: code, ...text })
    },
    fill: (selector: string, value: string) =>
      evaluate(`(() => {
        const field = document.querySelector(${JSON.stringify(selector)})
        field.value = ${JSON.stringify(value)}
        field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }))
      })()`),
    textOf: (selector: string) =>
      evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`),
    shows: page.shows,
  }
}

/** A page that a person looks at. */
export type Visitor = ReturnType<typeof createVisitor>

/** Opens the status page on a port in Chromium, which ends with the test. */
export async function openPage(t: TestContext, port: number): Promise<{ page: Page; visitor: Visitor }> {
  const browser = launchChromium(t, {})
  const page = await browser.open(`http://127.0.0.1:${port}/`)
  return { page, visitor: createVisitor(page) }
}
