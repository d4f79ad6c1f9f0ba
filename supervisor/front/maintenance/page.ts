import { renderErrorPage } from '../error-page.ts'

const usualMessage = 'This site is under maintenance. Please try again later.'

/** What the page shows. */
export interface MaintenancePage {
  /** Message of the operator. */
  message: string | undefined
  /** Custom page, which is shown unless there is a message. */
  own: string | undefined
}

/** Contents of the page as HTML and as JSON. */
export function maintenancePages({ message, own }: MaintenancePage): { html: string; json: string } {
  const text = message ?? usualMessage
  const builtIn = () => renderErrorPage({ title: 'Under maintenance', message: escapeHtml(text) })
  return {
    html: message === undefined && own !== undefined ? own : builtIn(),
    json: `${JSON.stringify({ error: 'maintenance', message: text })}\n`,
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
