/** Reason of whatever is refused or cut short because the whole run ends. */
export const stoppingReason = 'monohull is stopping'
