/** What may be told of a defect: it may hold a secret or a record, so only its name is. */
export const nameOf = (defect: unknown): string => (defect instanceof Error ? defect.name : typeof defect)
