package check

import (
	"slices"

	"headwater/playlist"
)

// groupRules are those of EXT-X-MEDIA and what refers to it: B11, B12.
func groupRules() []rule {
	return []rule{
		{"B11", Must, multivariant, "names are unique in a group, which has one default at most", checkGroups},
		{"B11", Must, multivariant, "groups of one type have the same members", checkMembers},
		{"B11", Must, multivariant, "groups that variants name exist", checkReferences},
		{"B12", Must, multivariant, "CLOSED-CAPTIONS=NONE stands on all variants or on none", checkCaptions},
	}
}

// group names a group of renditions.
type group struct{ kind, id string }

// groups returns the renditions of a playlist by group, and the groups in order.
func (s *snapshot) groups() (members map[group][]playlist.Rendition, order []group) {
	members = make(map[group][]playlist.Rendition)
	for _, r := range s.multivariant.Renditions {
		g := group{r.Type, r.GroupID}
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], r)
	}
	return members, order
}

func checkGroups(v *view) {
	members, order := v.now.groups()
	for _, g := range order {
		names, defaults := make(map[string]bool), 0
		for _, r := range members[g] {
			if names[r.Name] {
				v.fault("the name %q stands twice in group %s of type %s", r.Name, g.id, g.kind)
			}
			names[r.Name] = true
			if r.Default {
				defaults++
			}
		}
		if defaults > 1 {
			v.fault("group %s of type %s has %d defaults", g.id, g.kind, defaults)
		}
	}
}

func checkMembers(v *view) {
	members, order := v.now.groups()
	first := make(map[string]group)
	for _, g := range order {
		of, ok := first[g.kind]
		if !ok {
			first[g.kind] = g
			continue
		}
		if was, is := names(members[of]), names(members[g]); !slices.Equal(was, is) {
			v.fault("group %s of type %s has the members %q, but group %s has %q", g.id, g.kind, is, of.id, was)
		}
	}
}

// names returns the sorted names of renditions.
func names(renditions []playlist.Rendition) (list []string) {
	for i := range renditions {
		list = append(list, renditions[i].Name)
	}
	slices.Sort(list)
	return list
}

func checkReferences(v *view) {
	members, _ := v.now.groups()
	for _, s := range v.variants() {
		for _, g := range []group{{"AUDIO", s.Audio}, {"VIDEO", s.Video}, {"SUBTITLES", s.Subtitles}, {"CLOSED-CAPTIONS", s.ClosedCaptions}} {
			if g.id != "" && members[g] == nil {
				v.fault("variant %s names the group %s of type %s, which is not there", s.URI, g.id, g.kind)
			}
		}
	}
}

func checkCaptions(v *view) {
	none := 0
	for _, s := range v.variants() {
		if s.ClosedCaptionsNone {
			none++
		}
	}
	if none > 0 && none < len(v.variants()) {
		v.fault("%d of %d variants have CLOSED-CAPTIONS=NONE", none, len(v.variants()))
	}
}
