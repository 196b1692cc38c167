"""The bank's side: consents, and the verification report with its proofs (农户信用信息专项核查报告)."""
