/** The name of a defect. Nothing else of it may be shown, because it may hold a secret or a record. */
export const nameOf = (defect: unknown): string => (defect instanceof Error ? defect.name : typeof defect)
