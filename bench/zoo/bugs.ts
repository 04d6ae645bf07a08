/** All bugs. */
import * as AttemptKept from "./bugs/attemptKept.ts"
import * as AttemptOfAnother from "./bugs/attemptOfAnother.ts"
import * as BreakerStaysOpen from "./bugs/breakerStaysOpen.ts"
import * as BroughtBack from "./bugs/broughtBack.ts"
import * as CallbackShown from "./bugs/callbackShown.ts"
import * as CodeSentAgain from "./bugs/codeSentAgain.ts"
import * as ConnectForEverything from "./bugs/connectForEverything.ts"
import * as DeployReadsOldRows from "./bugs/deployReadsOldRows.ts"
import * as DisconnectedHereOnly from "./bugs/disconnectedHereOnly.ts"
import * as ErrorsSwallowed from "./bugs/errorsSwallowed.ts"
import * as FailureKept from "./bugs/failureKept.ts"
import * as JobAfterDisconnect from "./bugs/jobAfterDisconnect.ts"
import * as ListForEverybody from "./bugs/listForEverybody.ts"
import * as ListOfOldAccount from "./bugs/listOfOldAccount.ts"
import * as LockOfOneInstance from "./bugs/lockOfOneInstance.ts"
import * as LoginOfAnotherBrowser from "./bugs/loginOfAnotherBrowser.ts"
import * as LostAtRestart from "./bugs/lostAtRestart.ts"
import * as OddResponseBreaksPage from "./bugs/oddResponseBreaksPage.ts"
import * as OutageTakenForRefusal from "./bugs/outageTakenForRefusal.ts"
import * as PartRefused from "./bugs/partRefused.ts"
import * as PostRetried from "./bugs/postRetried.ts"
import * as RefreshEndsWithCaller from "./bugs/refreshEndsWithCaller.ts"
import * as RefreshTokenKept from "./bugs/refreshTokenKept.ts"
import * as RefreshUncoordinated from "./bugs/refreshUncoordinated.ts"
import * as RetryAfterIgnored from "./bugs/retryAfterIgnored.ts"
import * as ScopesMissing from "./bugs/scopesMissing.ts"
import * as SecondsAsMilliseconds from "./bugs/secondsAsMilliseconds.ts"
import * as SecretReadOnce from "./bugs/secretReadOnce.ts"
import * as StateNotChecked from "./bugs/stateNotChecked.ts"
import * as StateReused from "./bugs/stateReused.ts"
import * as TokenInCookie from "./bugs/tokenInCookie.ts"
import * as TokenToStatistics from "./bugs/tokenToStatistics.ts"
import * as TokensLogged from "./bugs/tokensLogged.ts"
import * as UsersMixedUp from "./bugs/usersMixedUp.ts"
import * as WrittenBehind from "./bugs/writtenBehind.ts"
import type { Bug } from "./case.ts"

export const bugs: ReadonlyArray<Bug> = [
  AttemptKept.bug,
  AttemptOfAnother.bug,
  BreakerStaysOpen.bug,
  BroughtBack.bug,
  CallbackShown.bug,
  CodeSentAgain.bug,
  ConnectForEverything.bug,
  DeployReadsOldRows.bug,
  DisconnectedHereOnly.bug,
  ErrorsSwallowed.bug,
  FailureKept.bug,
  JobAfterDisconnect.bug,
  ListForEverybody.bug,
  ListOfOldAccount.bug,
  LockOfOneInstance.bug,
  LoginOfAnotherBrowser.bug,
  LostAtRestart.bug,
  OddResponseBreaksPage.bug,
  OutageTakenForRefusal.bug,
  PartRefused.bug,
  PostRetried.bug,
  RefreshEndsWithCaller.bug,
  RefreshTokenKept.bug,
  RefreshUncoordinated.bug,
  RetryAfterIgnored.bug,
  ScopesMissing.bug,
  SecondsAsMilliseconds.bug,
  SecretReadOnce.bug,
  StateNotChecked.bug,
  StateReused.bug,
  TokenInCookie.bug,
  TokenToStatistics.bug,
  TokensLogged.bug,
  UsersMixedUp.bug,
  WrittenBehind.bug
]
