/** The ports of a fake and of its sample app. */
import * as Flag from "effect/cli/Flag"

export const isPort = (port: number): boolean => port >= 0 && port <= 65_535

const whichPort = () => "a port from 0 to 65535"

export const port = Flag.Int("port").pipe(
  Flag.withMetavar("NUMBER"),
  Flag.withDescription("The port on 127.0.0.1; 0 takes any free port. Default: 9270"),
  Flag.filter(isPort, whichPort),
  Flag.withDefault(9270)
)

export const playgroundPort = Flag.Int("playground-port").pipe(
  Flag.withMetavar("NUMBER"),
  Flag.withDescription("The port of the sample app; 0 takes any free port. Default: 9272, or 0 if --port is 0"),
  Flag.filter(isPort, whichPort),
  Flag.optional
)
