/** @type {import("next").NextConfig} */
export default {
  // In development, Next logs whole URLs: those of callbacks hold a code.
  logging: { incomingRequests: { ignore: [/^\/zapier\/callback/] } }
}
