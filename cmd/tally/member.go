package main

import "github.com/spf13/cobra"

func newMember() *cobra.Command {
	return group("member", "An organisation's part in a network", newMemberCard(), newMemberList(), newMemberShow(),
		newMemberValidators(), newMemberRotateKey(), newMemberNodes())
}
