/**
 * Writes the changelogs for the users of the packages: the text of each changeset, without commit hashes. Versions of the
 * packages are always equal, so updates of one inside another are left out.
 */
const indented = (text) => text.trim().replaceAll(/\n(?=.)/g, "\n  ")

export const getReleaseLine = async ({ summary }) => `- ${indented(summary)}`

export const getDependencyReleaseLine = async () => ""
