[playlist]
NumberOfEntries=1
File1=https://example.com/radio/one.mp3?a=1&b=2
Title1=Rock <& Roll>  File2=x �
Length1=-1
Version=2
