"""The GraphQL documents the demonstration sends; each is sent with one `$input`, or an `$id`."""

_PROBLEM = "... on Problem { code message field }"

REGISTER_SUBJECT = f"""
mutation ($input: RegisterSubjectInput!) {{
  answer: registerSubject(input: $input) {{ ... on SubjectRegistered {{ subject {{ id }} }}
    {_PROBLEM} }}
}}"""

REGISTER_ASSET = f"""
mutation ($input: RegisterAssetInput!) {{
  answer: registerAsset(input: $input) {{ ... on AssetRegistered {{ asset {{ id }} }}
    {_PROBLEM} }}
}}"""

ENROLL_SAMPLE = f"""
mutation ($input: EnrollSampleInput!) {{
  answer: enrollSample(input: $input) {{ ... on SampleEnrolled {{ sample {{ id state }} }}
    {_PROBLEM} }}
}}"""

PROPOSE_GRANT = f"""
mutation ($input: ProposeGrantInput!) {{
  answer: proposeGrant(input: $input) {{ ... on GrantProposed {{ grant {{ id }} }}
    {_PROBLEM} }}
}}"""

SIGN_GRANT = f"""
mutation ($id: ID!) {{
  answer: signGrant(id: $id) {{ ... on GrantSigned {{ grant {{ id state }} }}
    {_PROBLEM} }}
}}"""

SIGN_AS = f"""
mutation ($id: ID!, $role: GrantorRole!) {{
  answer: signGrant(id: $id, role: $role) {{ ... on GrantSigned {{ grant {{ id state }} }}
    {_PROBLEM} }}
}}"""

RECORD_DEATH = f"""
mutation ($input: RecordDeathInput!) {{
  answer: recordDeath(input: $input) {{ ... on DeathRecorded {{ protection {{ id }} }}
    {_PROBLEM} }}
}}"""

ASSERT_CLASS = f"""
mutation ($input: AssertClassInput!) {{
  answer: assertClass(input: $input) {{ ... on ClassAsserted {{ protection {{ id }} }}
    {_PROBLEM} }}
}}"""

APPOINT_REPRESENTATIVE = f"""
mutation ($input: AppointRepresentativeInput!) {{
  answer: appointRepresentative(input: $input) {{
    ... on RepresentativeAppointed {{ representative {{ id verified }} }}
    {_PROBLEM} }}
}}"""

SET_FILING = f"""
mutation ($input: SetFilingInput!) {{
  answer: setFiling(input: $input) {{ ... on FilingSet {{ filing {{ id status counts }} }}
    {_PROBLEM} }}
}}"""

REVOKE_GRANT = f"""
mutation ($id: ID!) {{
  answer: revokeGrant(id: $id) {{ ... on GrantRevoked {{ grant {{ id state }} }}
    {_PROBLEM} }}
}}"""

FILE_OBJECTION = f"""
mutation ($input: FileObjectionInput!) {{
  answer: fileObjection(input: $input) {{ ... on ObjectionFiled {{ objection {{ id }} }}
    {_PROBLEM} }}
}}"""

REQUEST_CONSENT = f"""
mutation ($input: RequestConsentInput!) {{
  answer: requestConsent(input: $input) {{
    ... on ConsentRequested {{ linkToken request {{ id state }} }} {_PROBLEM} }}
}}"""

CLAIM_REQUEST = f"""
mutation ($token: String!, $subject: ID!) {{
  answer: claimConsentRequest(token: $token, subjectId: $subject) {{
    ... on ConsentRequestClaimed {{ request {{ id state }} }} {_PROBLEM} }}
}}"""

ANSWER_REQUEST = f"""
mutation ($input: AnswerConsentRequestInput!) {{
  answer: answerConsentRequest(input: $input) {{
    ... on ConsentRequestAnswered {{ request {{ state grant {{ id state }} }} }} {_PROBLEM} }}
}}"""

ATTEST_IDENTITY = f"""
mutation ($input: AttestIdentityInput!) {{
  answer: attestIdentity(input: $input) {{
    ... on IdentityAttested {{ attestation {{ id level matched }} }} {_PROBLEM} }}
}}"""

BEGIN_SIGNING = f"""
mutation ($id: ID!) {{
  answer: beginSigning(grantId: $id) {{ ... on SigningBegun {{ challenge {{ id phrase }} }}
    {_PROBLEM} }}
}}"""

SIGN_SPOKEN = f"""
mutation ($id: ID!, $statement: SpokenStatementInput!) {{
  answer: signGrant(id: $id, statement: $statement) {{ ... on GrantSigned {{ grant {{ id state }} }}
    {_PROBLEM} }}
}}"""

TAKE_USE = f"""
mutation ($input: TakeUseInput!) {{
  answer: takeUse(input: $input) {{ ... on UseTaken {{ uses {{ ordinal }} }}
    {_PROBLEM} }}
}}"""

CHECK = """
query ($input: CheckInput!) {
  answer: checkConsent(input: $input) {
    id outcome mayProceed reasons { code message } token salt logIndex
  }
}"""

CHECKPOINT = "query { answer: checkpoint { size note } }"

INCLUSION_PROOF = """
query ($index: Int!, $size: Int!) {
  answer: inclusionProof(index: $index, treeSize: $size) { hashes }
}"""

# What the reader is left with to try by hand.
TRY_CHECK = """
query ($input: CheckInput!) {
  checkConsent(input: $input) { outcome mayProceed reasons { code message } validUntil logIndex }
}"""
