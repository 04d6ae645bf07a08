/** The databases that a scenario can use. */
export const storeKinds = ["sqlite", "postgres", "redis"] as const

export type StoreKind = (typeof storeKinds)[number]

export const isStoreKind = (text: string): text is StoreKind => storeKinds.some((kind) => kind === text)
