/** Where a fake and its sample app listen. */
import * as Flag from "effect/cli/Flag"

export const isPort = (port: number): boolean => port >= 0 && port <= 65_535

const whichPort = () => "a port, from 0 to 65535"

export const port = Flag.Int("port").pipe(
  Flag.withMetavar("NUMBER"),
  Flag.withDescription("Where to listen, on 127.0.0.1. 0 is any port that is free. Default: 9270"),
  Flag.filter(isPort, whichPort),
  Flag.withDefault(9270)
)

export const playgroundPort = Flag.Int("playground-port").pipe(
  Flag.withMetavar("NUMBER"),
  Flag.withDescription(
    "Where the sample app is, on 127.0.0.1. 0 is any port that is free. Default: 9272, or any if --port is 0"
  ),
  Flag.filter(isPort, whichPort),
  Flag.optional
)
