package load_test

import (
	"fmt"

	"headwater/cmd/headwater/load"
)

func ExampleAddresses() {
	addrs, err := load.Addresses([]string{"127.0.0.1:9001-9003", "radio.example:9999"})
	fmt.Println(addrs, err)
	// Output: [127.0.0.1:9001 127.0.0.1:9002 127.0.0.1:9003 radio.example:9999] <nil>
}
